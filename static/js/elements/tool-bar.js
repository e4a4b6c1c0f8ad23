// <tool-bar class="toolbar" role="toolbar" aria-label="…">: one stop for Tab, arrow keys between its buttons. When there is
// no room for the button that is the stop, the stop moves to the nearest one that shows.
class ToolBar extends HTMLElement {
  #resized = new ResizeObserver(() => this.#keepAStop())

  get #tools() {
    const own = (button) => !button.closest("[popover]")
    return [...this.querySelectorAll("button")].filter((button) => own(button) && button.checkVisibility())
  }

  connectedCallback() {
    this.addEventListener("keydown", this)
    this.addEventListener("focusin", this)
    this.#enterAt(this.#tools[0])
    this.#resized.observe(this)
  }

  disconnectedCallback() {
    this.removeEventListener("keydown", this)
    this.removeEventListener("focusin", this)
    this.#resized.disconnect()
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

  #keepAStop() {
    const tools = this.#tools
    const stop = this.querySelector("button[tabindex='0']")
    if (!tools.length || tools.includes(stop)) return

    const after = tools.find((tool) => stop && stop.compareDocumentPosition(tool) & Node.DOCUMENT_POSITION_FOLLOWING)
    this.#enterAt(after ?? tools.at(-1))
  }

  #enterAt(button) {
    for (const tool of this.querySelectorAll("button")) {
      if (!tool.closest("[popover]")) tool.tabIndex = tool === button ? 0 : -1
    }
  }
}
customElements.define("tool-bar", ToolBar)
