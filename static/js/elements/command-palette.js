// <command-palette> inside <dialog class="palette" id="palette">: Ctrl K finds a ticket, a view, a contact, or something
// to do here. The server answers what one types; what can be done are the controls of this page that have a key.
import { Listbox } from "../listbox.js";

const TYPES_A_LINK = ".editor"
const ANSWERS_WITHIN = 3_000

class CommandPalette extends HTMLElement {
  #actions = new Map() // option -> the control that it stands for
  #opened // what had the focus before
  #walk = new Listbox({
    field: () => this.#input, list: () => this.querySelector("[role='listbox']"), ends: true, choose: (option) => option.click(),
    pending: { words: () => this.#input.value.trim(), answer: () => this.#pending },
  })
  #answered = () => {}

  get #dialog() { return this.closest("dialog") }
  get #input() { return this.querySelector("input") }

  connectedCallback() {
    document.addEventListener("keydown", this)
    document.addEventListener("htmx:after:swap", this)
    this.addEventListener("input", this)
    this.addEventListener("click", this, true)
    this.#dialog.addEventListener("close", this)
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this)
    document.removeEventListener("htmx:after:swap", this)
    this.removeEventListener("input", this)
    this.removeEventListener("click", this, true)
  }

  handleEvent(event) {
    if (event.type === "keydown") this.#key(event)
    else if (event.type === "input") this.#offer()
    else if (event.type === "htmx:after:swap") this.#swapped(event)
    else if (event.type === "click") this.#clicked(event)
    else if (event.type === "close") this.#closed()
  }

  open() {
    if (this.#dialog.open) return
    this.#opened = document.activeElement
    this.#dialog.showModal()
    this.#input.select()
    this.#offer()
    this.#input.dispatchEvent(new CustomEvent("palette:opened", { bubbles: true }))
  }

  #key(event) {
    const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey
    if (command && event.key.toLowerCase() === "k" && !event.target.closest?.(TYPES_A_LINK)) {
      event.preventDefault()
      this.open()
      return
    }
    if (!this.#dialog.open || !this.contains(event.target)) return

    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      this.#openElsewhere()
    } else if (!this.#walk.takes(event) && event.key === "Enter") event.preventDefault()
  }

  #openElsewhere() {
    const { active } = this.#walk
    if (active?.href) window.open(active.href, "_blank", "noopener")
  }

  #clicked(event) {
    const option = event.target.closest("[role='option']")
    if (!option || event.ctrlKey || event.metaKey || event.shiftKey) return

    const control = this.#actions.get(option)
    const swaps = option.hasAttribute("hx-get") && document.querySelector("#ticket")
    this.#opened = control ?? (swaps ? null : this.#opened)
    this.#dialog.close()
    if (control) {
      control.focus()
      control.click()
    } else if (!swaps) {
      // No conversation on this page to put it into: the page of its own.
      event.preventDefault()
      event.stopPropagation()
      location.assign(option.href)
    }
  }

  #closed() {
    if (this.#opened?.isConnected) this.#opened.focus({ preventScroll: true })
    this.#opened = null
  }

  // Until what is found is of the words that stand there; a desk that is away holds nobody up for long.
  get #pending() {
    if (this.#words === this.#input.value.trim()) return undefined
    return new Promise((resolve) => {
      this.#answered = resolve
      setTimeout(() => resolve(false), ANSWERS_WITHIN)
    })
  }

  get #words() { return this.querySelector("#palette-found").dataset.words }

  // An answer to fewer words than stand there by now leaves what one has in view: the next key may be Enter.
  #swapped(event) {
    if (!this.contains(event.target) && event.target !== document) return
    const isNewest = this.#words === this.#input.value.trim()
    if (isNewest || !this.#walk.active) this.#walk.mark(this.#walk.options[0])
    if (isNewest) this.#answered(true)
  }

  // The controls of this page whose name holds what one types.
  #offer() {
    const group = this.querySelector("[data-actions]")
    const words = this.#input.value.trim().toLowerCase()
    for (const option of this.#actions.keys()) option.remove()
    this.#actions.clear()
    for (const control of document.querySelectorAll("[data-shortcut]")) {
      const name = nameOf(control)
      if (control.disabled || !control.checkVisibility() || !name.toLowerCase().includes(words)) continue
      const option = this.querySelector("template").content.firstElementChild.cloneNode(true)
      option.id = `palette-action-${this.#actions.size}`
      option.querySelector("[data-name]").textContent = name
      option.querySelector("kbd").textContent = control.dataset.shortcut.replace("shift+", "⇧").toUpperCase()
      this.#actions.set(option, control)
      group.append(option)
    }
    group.hidden = this.#actions.size === 0
    if (!this.#walk.active) this.#walk.mark(this.#walk.options[0])
  }
}

// As a screen reader would say it: a hint for the eyes (the key itself) is not part of the name.
function nameOf(control) {
  if (control.dataset.says) return control.dataset.says
  if (control.ariaLabel) return control.ariaLabel
  const copy = control.cloneNode(true)
  for (const hint of copy.querySelectorAll("[aria-hidden='true']")) hint.remove()
  return copy.textContent.trim().replace(/\s+/g, " ")
}
customElements.define("command-palette", CommandPalette)
