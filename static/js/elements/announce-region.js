// <announce-region aria-live="polite" data-event="announce">: reads aloud what the server's answers announce.
class AnnounceRegion extends HTMLElement {
  connectedCallback() {
    document.addEventListener(this.dataset.event, this)
  }

  disconnectedCallback() {
    document.removeEventListener(this.dataset.event, this)
  }

  handleEvent(event) {
    const text = event.detail.items.map((item) => item.text).join(" ")
    // Emptied first, so that the same sentence twice is read twice.
    this.textContent = ""
    requestAnimationFrame(() => { this.textContent = text })
  }
}
customElements.define("announce-region", AnnounceRegion)
