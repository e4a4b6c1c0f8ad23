// <draft-count class="count" data-drafts>2</draft-count>: how many drafts one has, when another window begins or ends one.
class DraftCount extends HTMLElement {
  connectedCallback() {
    document.addEventListener("live:draft", this)
  }

  disconnectedCallback() {
    document.removeEventListener("live:draft", this)
  }

  handleEvent({ detail }) {
    if (detail?.drafts !== undefined) this.textContent = detail.drafts
  }
}
customElements.define("draft-count", DraftCount)
