// <composer-box class="ws__composer" id="composer">: the reply and the comment, of which one shows at a time.
// Tabs follow the ARIA pattern, the grip sets the height (kept in this browser), and on a phone a slim bar opens it.
const LOWEST = 96

class ComposerBox extends HTMLElement {
  get #box() { return this.querySelector(".composer") }
  get #grip() { return this.querySelector(".composer__grip") }
  get #tabs() { return [...this.querySelectorAll("[role='tab']")] }

  connectedCallback() {
    this.addEventListener("click", this)
    this.addEventListener("keydown", this)
    this.addEventListener("pointerdown", this)
    document.addEventListener("reply:begins", this)
    document.addEventListener("draft:saved", this)
    this.#choose(this.#box?.dataset.mode ?? "reply")
    const kept = Number(localStorage.getItem("composer-height"))
    if (kept) this.#resize(kept)
  }

  disconnectedCallback() {
    this.removeEventListener("click", this)
    this.removeEventListener("keydown", this)
    this.removeEventListener("pointerdown", this)
    document.removeEventListener("reply:begins", this)
    document.removeEventListener("draft:saved", this)
  }

  handleEvent(event) {
    if (event.type === "click") this.#clicked(event)
    else if (event.type === "reply:begins") this.open("reply")
    else if (event.type === "draft:saved") this.#sent()
    else if (event.type === "pointerdown" && event.target === this.#grip) this.#drag(event)
    else if (event.type === "keydown") this.#key(event)
  }

  // Shows the reply or the comment and puts the caret in it.
  open(mode) {
    this.toggleAttribute("data-composing", true)
    if (mode) this.#choose(mode)
    this.querySelector(`.composer__${this.#box.dataset.mode} :is(.editor, textarea:not([hidden]))`)?.focus()
  }

  #clicked(event) {
    const tab = event.target.closest("[role='tab']")
    if (tab) this.open(tab.dataset.mode)
    const opener = event.target.closest("[data-open]")
    if (opener) this.open(opener.dataset.open)
  }

  // What was written stands in the conversation now. Focus goes there, unless one has gone on elsewhere meanwhile.
  #sent() {
    const focused = document.activeElement
    if (focused && focused !== document.body && !this.contains(focused)) return

    this.removeAttribute("data-composing")
    document.querySelector("#messages .msg:last-of-type")?.focus({ preventScroll: true })
  }

  #choose(mode) {
    if (!this.#box) return

    this.#box.dataset.mode = mode
    for (const tab of this.#tabs) {
      const chosen = tab.dataset.mode === mode
      tab.setAttribute("aria-selected", chosen)
      tab.tabIndex = chosen ? 0 : -1
    }
  }

  #key(event) {
    const tabs = this.#tabs
    const at = tabs.indexOf(event.target)
    if (at >= 0 && ["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) {
      event.preventDefault()
      const other = event.key === "Home" ? tabs[0] : event.key === "End" ? tabs.at(-1) : tabs[(at + 1) % tabs.length]
      this.#choose(other.dataset.mode)
      other.focus()
    }
    if (event.target === this.#grip && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault()
      this.#resize(this.#height() + (event.key === "ArrowUp" ? 32 : -32))
    }
    const escaped = event.key === "Escape" && !event.defaultPrevented && !document.querySelector(":popover-open")
    if (escaped && this.hasAttribute("data-composing")) {
      this.removeAttribute("data-composing") // the text stays where it is
      document.activeElement?.blur()
      this.querySelector("[data-open]")?.focus()
    }
  }

  #drag(event) {
    const { clientY, pointerId } = event
    const height = this.#height()
    const grip = this.#grip
    const move = (moved) => this.#resize(height + clientY - moved.clientY)
    const drop = () => {
      grip.removeEventListener("pointermove", move)
      grip.removeEventListener("pointerup", drop)
      grip.removeEventListener("pointercancel", drop)
    }
    grip.setPointerCapture(pointerId)
    grip.addEventListener("pointermove", move)
    grip.addEventListener("pointerup", drop)
    grip.addEventListener("pointercancel", drop)
  }

  #height() {
    const field = this.querySelector(`.composer__${this.#box.dataset.mode} :is(.editor, textarea:not([hidden]))`)
    return field?.offsetHeight ?? LOWEST
  }

  #resize(wanted) {
    const height = Math.round(Math.max(LOWEST, Math.min(innerHeight * 0.6, wanted)))
    this.style.setProperty("--composer-h", `${height}px`)
    this.#grip?.setAttribute("aria-valuenow", height)
    localStorage.setItem("composer-height", height)
  }
}
customElements.define("composer-box", ComposerBox)
