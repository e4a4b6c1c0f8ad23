// <send-options>: what stands beside Send. Ctrl+Shift+Enter anywhere in the form sends and closes; the dialog of Send later
// opens from the menu. data-begins: the text came back, so the caret goes to its end. data-asks-later: the time that was
// chosen cannot be, so the dialog stands open.
class SendOptions extends HTMLElement {
  #form

  get #later() { return this.querySelector("dialog") }

  connectedCallback() {
    this.#form = this.closest("form")
    this.#form?.addEventListener("keydown", this, true) // ahead of the editor, whose own key is Ctrl+Enter
    this.addEventListener("click", this)
    if (this.hasAttribute("data-begins")) {
      this.removeAttribute("data-begins")
      this.#begin() // at once, and again where the editor comes only now
      this.#form?.addEventListener("editor:ready", () => this.#begin(), { once: true })
    }
    if (this.hasAttribute("data-asks-later")) {
      this.removeAttribute("data-asks-later")
      setTimeout(() => this.#ask(), 50) // after whatever else the swap puts the focus on
    }
  }

  disconnectedCallback() {
    this.#form?.removeEventListener("keydown", this, true)
    this.removeEventListener("click", this)
  }

  handleEvent(event) {
    if (event.type === "keydown") this.#key(event)
    else if (event.target.closest("[data-later]")) {
      event.preventDefault() // it comes as a popover only where no script runs
      setTimeout(() => this.#later.showModal()) // after the menu is gone
    }
    else if (event.target.closest("[data-close]")) this.#later.close()
    else if (this.#later.open && event.target.closest("dialog button")) this.#later.close("sent")
  }

  #ask() {
    this.closest("#composer")?.open("reply")
    this.#later.showModal()
    this.#later.querySelector("[aria-invalid]")?.focus()
  }

  // After whatever else the swap puts the focus on.
  #begin() {
    setTimeout(() => {
      const composer = this.closest("#composer")
      const field = composer?.querySelector(".composer__reply .editor")
      composer?.open("reply")
      if (!field) return

      getSelection().selectAllChildren(field)
      getSelection().collapseToEnd()
    }, 50)
  }

  #key(event) {
    if (event.key !== "Enter" || event.isComposing) return

    const inDialog = this.#later.open
    const closes = (event.ctrlKey || event.metaKey) && event.shiftKey && !event.altKey
    const button = closes && !inDialog ? this.querySelector("[data-send-closing]") : null
    if (button) this.#send(event, button)
    else if (inDialog && event.target.matches("input")) this.#send(event, this.querySelector("[data-submit]"))
  }

  #send(event, button) {
    event.preventDefault()
    event.stopPropagation()
    this.#form.requestSubmit(button)
    if (this.#later.open) this.#later.close("sent")
  }
}
customElements.define("send-options", SendOptions)
