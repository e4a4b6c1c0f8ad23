// <tool-bar class="toolbar" role="toolbar" aria-label="…">: one stop for Tab, arrow keys between its buttons. Buttons that
// there is no room for are in the menu of its <action-menu data-more>; the stop moves to the nearest one that shows.
let count = 0

class ToolBar extends HTMLElement {
  #resized = new ResizeObserver(() => this.#resize())

  get #all() { return [...this.querySelectorAll("button")].filter((button) => !button.closest("[popover]")) }
  get #tools() { return this.#all.filter((button) => button.checkVisibility()) }
  get #more() { return this.querySelector("[data-more]") }

  connectedCallback() {
    this.addEventListener("keydown", this)
    this.addEventListener("focusin", this)
    this.addEventListener("beforetoggle", this, true)
    this.addEventListener("click", this)
    this.#name()
    this.#enterAt(this.#tools[0])
    this.#resized.observe(this)
  }

  disconnectedCallback() {
    this.removeEventListener("keydown", this)
    this.removeEventListener("focusin", this)
    this.removeEventListener("beforetoggle", this, true)
    this.removeEventListener("click", this)
    this.#resized.disconnect()
  }

  handleEvent(event) {
    if (event.type === "beforetoggle") return event.newState === "open" && this.#more?.contains(event.target) && this.#fill(event.target)
    if (event.type === "click") return this.#chosen(event.target.closest("[data-more] [data-command-of]"))
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

  // There may be several editors in a page.
  #name() {
    const menu = this.#more?.querySelector("[popover]")
    if (!menu) return
    menu.id = `more-tools-${(count += 1)}`
    this.#more.querySelector("button").setAttribute("popovertarget", menu.id)
  }

  #resize() {
    if (this.#more) this.#more.hidden = this.#out.length === 0
    this.#keepAStop()
  }

  // The tools that there is no room for.
  get #out() { return this.#all.filter((tool) => tool.dataset.command && !tool.checkVisibility()) }

  #fill(menu) {
    menu.replaceChildren(...this.#out.map((tool) => {
      const item = this.#more.querySelector("template").content.firstElementChild.cloneNode(true)
      const on = tool.getAttribute("aria-pressed")
      item.setAttribute("role", on ? "menuitemcheckbox" : "menuitem")
      if (on) item.ariaChecked = on
      item.ariaDisabled = tool.ariaDisabled
      item.ariaKeyShortcuts = tool.ariaKeyShortcuts
      item.dataset.commandOf = tool.dataset.command
      item.querySelector("[data-name]").textContent = tool.ariaLabel
      item.prepend(tool.querySelector(".icon").cloneNode(true))
      return item
    }))
  }

  #chosen(item) {
    if (item) this.querySelector(`[data-command="${item.dataset.commandOf}"]`).click()
  }

  #keepAStop() {
    const tools = this.#tools
    const stop = this.querySelector("button[tabindex='0']")
    if (!tools.length || tools.includes(stop)) return

    const after = tools.find((tool) => stop && stop.compareDocumentPosition(tool) & Node.DOCUMENT_POSITION_FOLLOWING)
    this.#enterAt(after ?? tools.at(-1))
  }

  #enterAt(button) {
    for (const tool of this.#all) tool.tabIndex = tool === button ? 0 : -1
  }
}
customElements.define("tool-bar", ToolBar)
