// <side-panel>: what stands in a panel beside the conversation. It takes the focus and gives it back, and closes on Escape.
import { focusFirstField } from "../first-field.js";

let opener = null // the control that opened the panel, over the swaps inside it

class SidePanel extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this)
    this.addEventListener("keydown", this)
    const before = document.activeElement
    if (before && before !== document.body && !before.closest(".panel")) opener = before
    // When the elements inside have wired themselves.
    queueMicrotask(() => focusFirstField(this))
    if (this.querySelector("form-layout")) import("./form-layout.js")
  }

  disconnectedCallback() {
    this.removeEventListener("click", this)
    this.removeEventListener("keydown", this)
  }

  handleEvent(event) {
    if (event.type === "click") this.#clicked(event)
    else this.#key(event)
  }

  close() {
    const back = opener?.isConnected ? opener : document.querySelector("#list")
    this.closest("#panel").replaceChildren()
    back?.focus({ preventScroll: true })
    opener = null
  }

  #clicked(event) {
    if (!event.target.closest("[data-close]") || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    this.close()
  }

  #key(event) {
    if (event.defaultPrevented) return
    if (event.key === "Escape" && !document.querySelector(":popover-open, dialog:modal")) {
      event.preventDefault()
      this.close()
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      const submit = this.querySelector("[data-submit]")
      submit?.form.requestSubmit(submit)
    }
  }
}
customElements.define("side-panel", SidePanel)
