// <tool-bar class="toolbar" role="toolbar" aria-label="…">: one stop for Tab, arrow keys between its buttons.
class ToolBar extends HTMLElement {
  get #tools() {
    const own = (button) => !button.closest("[popover]")
    return [...this.querySelectorAll("button")].filter((button) => own(button) && button.checkVisibility())
  }

  connectedCallback() {
    this.addEventListener("keydown", this)
    this.addEventListener("focusin", this)
    this.#enterAt(this.#tools[0])
  }

  disconnectedCallback() {
    this.removeEventListener("keydown", this)
    this.removeEventListener("focusin", this)
  }

  handleEvent(event) {
    const tools = this.#tools
    const at = tools.indexOf(event.target)
    if (at < 0) return
    if (event.type === "focusin") return this.#enterAt(event.target)

    const forward = getComputedStyle(this).direction === "rtl" ? "ArrowLeft" : "ArrowRight"
    const back = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft"
    const to = { [forward]: at + 1, [back]: at - 1, Home: 0, End: tools.length - 1 }[event.key]
    if (to === undefined) return

    event.preventDefault()
    tools.at(to % tools.length).focus()
  }

  #enterAt(button) {
    for (const tool of this.querySelectorAll("button")) {
      if (!tool.closest("[popover]")) tool.tabIndex = tool === button ? 0 : -1
    }
  }
}
customElements.define("tool-bar", ToolBar)
