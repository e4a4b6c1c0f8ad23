// <notification-bell><a id="bell" href="…" hx-get="…" hx-target="#bell-list">…<div popover id="bell-list">: the link
// opens its list in place, which htmx fetches anew each time; a second click, Escape or a click elsewhere closes it.
class NotificationBell extends HTMLElement {
  get #link() { return this.querySelector("a") }
  get #list() { return this.querySelector("[popover]") }

  connectedCallback() {
    this.#link.setAttribute("aria-haspopup", "dialog")
    this.#link.setAttribute("aria-expanded", "false")
    this.addEventListener("click", this, true)
    this.addEventListener("pointerdown", this)
    this.addEventListener("toggle", this, true)
    this.addEventListener("htmx:after:swap", this)
  }

  disconnectedCallback() {
    this.removeEventListener("click", this, true)
    this.removeEventListener("pointerdown", this)
    this.removeEventListener("toggle", this, true)
    this.removeEventListener("htmx:after:swap", this)
  }

  #wasOpen = false

  handleEvent(event) {
    if (event.type === "pointerdown") this.#wasOpen = this.#list.matches(":popover-open")
    else if (event.type === "toggle" && event.target === this.#list) this.#link.setAttribute("aria-expanded", event.newState === "open")
    else if (event.type === "htmx:after:swap") this.#swapped(event)
    else if (event.type === "click") this.#clicked(event)
  }

  #clicked(event) {
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey
    if (!event.target.closest("#bell") || !plain) return

    // Pressing beside a popover closes it, also when it is pressed on what opened it.
    const wasOpen = this.#wasOpen || this.#list.matches(":popover-open")
    this.#wasOpen = false
    if (!wasOpen) return
    this.#list.hidePopover()
    event.preventDefault()
    event.stopImmediatePropagation()
  }

  // The event comes from what asked, which is the link or a button of the list.
  #swapped(event) {
    if (event.detail.ctx.target !== this.#list) return
    if (!this.#list.matches(":popover-open")) {
      this.#list.showPopover()
      this.#place()
    }
    this.#list.querySelector(".notice__link, button")?.focus({ preventScroll: true })
  }

  // Beside the bell: at the foot of the rail, or above it on a phone.
  #place() {
    const bell = this.#link.getBoundingClientRect()
    const isBar = bell.top > innerHeight - 80 && bell.width > 40
    this.#list.style.setProperty("--bell-inline", isBar ? "0.5rem" : `${Math.round(bell.right + 8)}px`)
    this.#list.style.setProperty("--bell-end", isBar ? `${Math.round(innerHeight - bell.top + 8)}px` : "0.5rem")
  }
}
customElements.define("notification-bell", NotificationBell)
