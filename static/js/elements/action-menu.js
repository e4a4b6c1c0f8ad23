// <action-menu><button popovertarget="m-me" aria-haspopup="menu">…</button><div class="menu" id="m-me" popover role="menu">…
// Arrow keys, Home, End and first letters move between items; the button says whether its menu is open.
class ActionMenu extends HTMLElement {
  get #button() { return this.querySelector("[popovertarget]") }
  get #menu() { return this.querySelector("[popover]") }
  get #items() {
    return [...this.#menu.querySelectorAll("[role^='menuitem']")].filter((item) => !item.disabled && item.checkVisibility())
  }

  connectedCallback() {
    // A popover's toggle event does not bubble, so it is caught on its way down.
    this.addEventListener("toggle", this, true)
    this.addEventListener("keydown", this)
    this.addEventListener("click", this)
  }

  disconnectedCallback() {
    this.removeEventListener("toggle", this, true)
    this.removeEventListener("keydown", this)
    this.removeEventListener("click", this)
  }

  handleEvent(event) {
    if (event.type === "toggle" && event.target === this.#menu) this.#toggled(event.newState === "open")
    if (event.type === "keydown") this.#key(event)
    // After the item has done its work: a submit button must still be there when its form is sent.
    if (event.type === "click" && event.target.closest("[role^='menuitem']")) setTimeout(() => this.#menu?.hidePopover())
  }

  #toggled(open) {
    this.#button.setAttribute("aria-expanded", open)
    if (!open) return

    if (!CSS.supports("position-area: block-end")) this.#place()
    const items = this.#items
    ;(items.find((item) => item.ariaChecked === "true") ?? items[0])?.focus()
  }

  #key(event) {
    if (!this.#menu?.matches(":popover-open")) {
      if (event.key === "ArrowDown" && event.target === this.#button) {
        event.preventDefault()
        this.#button.click()
      }
      return
    }

    const items = this.#items
    const at = items.indexOf(document.activeElement)
    let next
    if (event.key === "ArrowDown") next = items[(at + 1) % items.length]
    else if (event.key === "ArrowUp") next = items[(at - 1 + items.length) % items.length]
    else if (event.key === "Home") next = items[0]
    else if (event.key === "End") next = items.at(-1)
    else if (event.key === "Tab") this.#menu.hidePopover()
    else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) {
      const letter = event.key.toLowerCase()
      const fromHere = [...items.slice(at + 1), ...items.slice(0, at + 1)]
      next = fromHere.find((item) => item.textContent.trim().toLowerCase().startsWith(letter))
    }
    if (!next) return

    event.preventDefault()
    event.stopPropagation()
    next.focus()
  }

  // For browsers without anchor positioning: below the button, above it where there is no room.
  #place() {
    const button = this.#button.getBoundingClientRect()
    const menu = this.#menu
    const gap = 6
    const rightToLeft = getComputedStyle(this).direction === "rtl"
    const start = rightToLeft ? innerWidth - button.right : button.left
    const inline = Math.max(8, Math.min(start, innerWidth - menu.offsetWidth - 8))
    const below = button.bottom + gap
    const fits = below + menu.offsetHeight < innerHeight && !menu.classList.contains("menu--up")
    const block = fits ? below : Math.max(8, button.top - menu.offsetHeight - gap)
    menu.style.setProperty("--menu-inline", `${inline}px`)
    menu.style.setProperty("--menu-block", `${block}px`)
  }
}
customElements.define("action-menu", ActionMenu)
