// <quoted-history>: the mail below one's words, as one may change it. Only what was changed goes back to the server.
class QuotedHistory extends HTMLElement {
  connectedCallback() {
    this.addEventListener("input", this)
    this.addEventListener("paste", this)
  }

  disconnectedCallback() {
    this.removeEventListener("input", this)
    this.removeEventListener("paste", this)
  }

  handleEvent(event) {
    if (event.type === "paste") {
      event.preventDefault()
      document.execCommand("insertText", false, event.clipboardData.getData("text/plain"))
      return
    }
    const field = this.querySelector("textarea")
    field.disabled = false
    field.value = this.querySelector("[contenteditable]").innerHTML
    const goes = this.closest("form")?.querySelector("[name='quotes']")
    if (goes) goes.checked = true
  }
}
customElements.define("quoted-history", QuotedHistory)
