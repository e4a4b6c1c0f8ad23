// <composer-box class="ws__composer" id="composer" data-user data-number>: the reply and the comment, of which one shows
// at a time. Tabs follow the ARIA pattern, the grip sets the height (kept in this browser), on a phone a slim bar opens it.
// data-shape: full takes the pane, popped lies above the page. The same elements stay in their place for either.
const LOWEST = 96
let shaped = {} // { number, shape, folded }: an editor that takes this one's place (a refused answer) stands as it stood

class ComposerBox extends HTMLElement {
  get #box() { return this.querySelector(".composer") }
  get #grip() { return this.querySelector(".composer__grip") }
  get #tabs() { return [...this.querySelectorAll("[role='tab']")] }
  get #field() { return this.querySelector(`.composer__${this.#box.dataset.mode} form > rich-editor > :is(.editor, textarea:not([hidden]))`) }

  connectedCallback() {
    for (const type of ["click", "keydown", "mousedown", "pointerdown", "draft:told"]) this.addEventListener(type, this)
    for (const type of ["reply:begins", "draft:saved"]) document.addEventListener(type, this)
    this.#choose(this.#box?.dataset.mode ?? "reply")
    const kept = Number(localStorage.getItem(this.#heightKey))
    if (kept) this.#resize(kept)
    if (shaped.number === this.dataset.number) this.#shape(shaped.shape)
    else shaped = {}
  }

  disconnectedCallback() {
    for (const type of ["click", "keydown", "mousedown", "pointerdown", "draft:told"]) this.removeEventListener(type, this)
    for (const type of ["reply:begins", "draft:saved"]) document.removeEventListener(type, this)
    // Before the editor inside is closed; whether another one takes its place shows afterwards.
    const text = this.#field?.value ?? this.#field?.textContent
    if (this.dataset.shape === "popped" && text?.trim()) queueMicrotask(() => this.#leave())
  }

  handleEvent(event) {
    if (event.type === "click") this.#clicked(event)
    else if (event.type === "reply:begins") this.open("reply")
    else if (event.type === "draft:saved") this.#sent()
    else if (event.type === "draft:told") this.#tell()
    else if (event.type === "mousedown" && event.target.closest("button[data-shape], [data-fold]")) event.preventDefault() // the caret stays
    else if (event.type === "pointerdown" && event.target === this.#grip) this.#drag(event)
    else if (event.type === "keydown") this.#key(event)
  }

  // Shows the reply or the comment and puts the caret in it.
  open(mode) {
    this.toggleAttribute("data-composing", true)
    this.#fold(false)
    if (mode) this.#choose(mode)
    const field = this.#field
    // A field that was never in use has its caret at the beginning; one goes on at the end.
    if (field?.selectionEnd === 0) field.setSelectionRange(field.value.length, field.value.length)
    field?.focus()
  }

  #clicked(event) {
    const { mode, shape, open } = event.target.closest("[role='tab'], [data-shape], [data-open]")?.dataset ?? {}
    if (event.target.closest("[data-fold]")) this.#fold(!this.hasAttribute("data-folded"))
    else if (shape && event.target.closest("[data-shape]") !== this) this.#reshape(shape)
    else if (open) this.open(open)
    else if (mode) this.open(mode)
  }

  // What was written stands in the conversation now. Focus goes there, unless one has gone on elsewhere meanwhile.
  #sent() {
    shaped = {}
    this.#shape("normal")
    const focused = document.activeElement
    if (focused && focused !== document.body && !this.contains(focused)) return
    if (focused === this.#field && this.#field.textContent.trim()) return // one has typed on meanwhile

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
    this.#tell()
  }

  // Whether the text that shows is saved.
  #tell() {
    const line = this.querySelector("#draft-state")
    const { state, savedAt } = this.querySelector(`draft-saver[data-mode="${this.#box.dataset.mode}"]`) ?? {}
    const said = {
      saving: () => line.dataset.saving,
      saved: () => savedAt && line.dataset.saved.replace("%(time)s", savedAt),
      failed: () => line.dataset.failed,
      newer: () => line.dataset.kept,
      sent: () => line.dataset.kept,
      refused: () => line.dataset.kept,
      "signed-out": () => line.dataset.kept,
    }[state]?.() ?? ""
    const words = line.querySelector("span")
    if (words.textContent === said) return
    const isError = Boolean(said) && !["saving", "saved"].includes(state)
    // A screen reader hears of trouble, and of its end; not of every save.
    line.ariaLive = isError || line.dataset.state === "error" ? "polite" : "off"
    line.dataset.state = isError ? "error" : said ? "saved" : ""
    words.textContent = said
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
    const escaped = event.key === "Escape" && !event.defaultPrevented && !document.querySelector(":popover-open:not(.composer), dialog:modal")
    if (escaped && this.dataset.shape === "popped") {
      event.preventDefault()
      this.#reshape("normal")
    } else if (escaped && this.hasAttribute("data-composing")) {
      this.removeAttribute("data-composing") // the text stays where it is
      document.activeElement?.blur()
      const bar = this.querySelector("[data-open]") // only where the screen is narrow
      ;(bar?.checkVisibility() ? bar : this.closest("#ticket"))?.focus({ preventScroll: true })
    }
  }

  // The button of the shape it has puts it back.
  #reshape(wanted) {
    const shape = this.dataset.shape === wanted ? "normal" : wanted
    shaped = { number: this.dataset.number, shape }
    this.#shape(shape)
    const writes = this.contains(document.activeElement) && document.activeElement.matches(".editor, textarea, input")
    if (!writes) this.#field?.focus()
  }

  #shape(shape) {
    const box = this.#box
    if (!box) return

    if (shape === "popped") {
      box.popover = "manual" // above everything, and yet where it always was
      box.showPopover()
      this.toggleAttribute("data-composing", true)
    } else if (box.popover) {
      box.hidePopover()
      box.removeAttribute("popover")
    }
    this.#fold(false)
    if (shape === "normal") delete this.dataset.shape
    else this.dataset.shape = shape
    for (const button of box.querySelectorAll("[data-shape][aria-pressed]")) {
      button.setAttribute("aria-pressed", button.dataset.shape === shape)
    }
  }

  // The pop-out as its bar alone, to read what lies under it.
  #fold(folded) {
    this.toggleAttribute("data-folded", folded)
    this.querySelector("[data-fold]")?.setAttribute("aria-expanded", !folded)
  }

  // Another ticket was opened: the text was saved on the way, and one is told where it is.
  #leave() {
    if (document.querySelector(`#composer[data-number="${this.dataset.number}"]`)) return

    const items = [{ text: this.dataset.left, kind: "info" }]
    document.dispatchEvent(new CustomEvent("toast", { detail: { items } }))
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
    event.preventDefault() // the caret stays in the text
    grip.setPointerCapture(pointerId)
    grip.addEventListener("pointermove", move)
    grip.addEventListener("pointerup", drop)
    grip.addEventListener("pointercancel", drop)
  }

  get #heightKey() { return `composer-height:${this.dataset.user}` }

  #height() {
    return this.#field?.offsetHeight ?? LOWEST
  }

  #resize(wanted) {
    if (this.dataset.shape === "full") this.#reshape("full") // what is dragged has a height of its own again
    const height = Math.round(Math.max(LOWEST, Math.min(innerHeight * 0.6, wanted)))
    this.style.setProperty("--composer-h", `${height}px`)
    this.#grip?.setAttribute("aria-valuenow", height)
    this.#grip?.setAttribute("aria-valuemax", Math.round(innerHeight * 0.6))
    localStorage.setItem(this.#heightKey, height)
  }
}
customElements.define("composer-box", ComposerBox)
