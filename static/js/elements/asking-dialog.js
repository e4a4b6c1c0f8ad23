// <asking-dialog data-until="ticket:changed"><dialog>…: a dialog that the server answered with. It opens over the page as soon
// as it is there, and goes when it is closed, or when what it asked for was taken.
class AskingDialog extends HTMLElement {
  #before = null

  connectedCallback() {
    const dialog = this.querySelector("dialog")
    this.#before = document.activeElement
    dialog.removeAttribute("open")
    dialog.showModal()
    const asked = dialog.querySelector("[aria-invalid='true']") ?? dialog.querySelector(":is(input:not([type=hidden]), select, textarea)")
    asked?.focus()
    dialog.addEventListener("close", this)
    dialog.addEventListener("click", this)
    dialog.addEventListener("keydown", this)
    if (this.dataset.until) document.addEventListener(this.dataset.until, this)
  }

  disconnectedCallback() {
    if (this.dataset.until) document.removeEventListener(this.dataset.until, this)
  }

  handleEvent(event) {
    if (event.type === "keydown") this.#key(event)
    else if (event.type !== "click") this.#leave()
    else if (event.target.closest("[data-close]")) {
      event.preventDefault()
      this.#leave()
    }
  }

  #key(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    const submit = this.querySelector("[data-submit]")
    submit.form.requestSubmit(submit) // which may stand elsewhere in the page
  }

  #leave() {
    const back = this.#before
    const { form } = this.querySelector("[data-submit]") ?? {}
    this.remove()
    if (back?.isConnected) back.focus()
    // Asked from a menu that is closed by now: one goes on in the text.
    if (document.activeElement === document.body) this.#backTo(form?.querySelector(".editor, textarea:enabled"))
  }

  #backTo(field) {
    field?.focus()
    if (!field?.isContentEditable) return

    getSelection().selectAllChildren(field)
    getSelection().collapseToEnd()
  }
}
customElements.define("asking-dialog", AskingDialog)
