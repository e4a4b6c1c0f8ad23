// <action-menu><button popovertarget="m-me" aria-haspopup="menu">…</button><div class="menu" id="m-me" popover role="menu">…
// Arrow keys, Home, End and first letters move between items; the button says whether its menu is open. It opens at what is
// chosen, with data-changes at the first item that is not.
const ONE_WORD_WITHIN = 700

class ActionMenu extends HTMLElement {
  #typed = "" // letters that follow each other soon are the beginning of one name
  #typedAt = 0

  get #button() { return this.querySelector("[popovertarget]") }
  get #menu() { return this.querySelector("[popover]") }
  get #items() {
    return [...this.#menu.querySelectorAll("[role^='menuitem']")].filter((item) => !item.disabled && item.checkVisibility())
  }

  connectedCallback() {
    // A popover's toggle events do not bubble, so they are caught on their way down.
    for (const type of ["beforetoggle", "toggle"]) this.addEventListener(type, this, true)
    this.addEventListener("keydown", this)
    this.addEventListener("click", this)
  }

  disconnectedCallback() {
    for (const type of ["beforetoggle", "toggle"]) this.removeEventListener(type, this, true)
    this.removeEventListener("keydown", this)
    this.removeEventListener("click", this)
  }

  handleEvent(event) {
    if (event.type === "beforetoggle" && event.target === this.#menu && event.newState === "open") this.#takeFocus()
    if (event.type === "toggle" && event.target === this.#menu) this.#toggled(event.newState === "open")
    if (event.type === "keydown") this.#key(event)
    // After the item has done its work: a submit button must still be there when its form is sent.
    if (event.type === "click" && event.target.closest("[role^='menuitem']")) setTimeout(() => this.#menu?.hidePopover())
  }

  // A menu gives the focus back to what had it, and a key opens it from anywhere.
  #takeFocus() {
    if (document.activeElement === document.body) this.#button.focus()
  }

  #toggled(open) {
    this.#button.setAttribute("aria-expanded", open)
    if (!open) return

    if (!CSS.supports("position-area: block-end")) this.#place()
    this.enter()
  }

  // The browser tells of an open menu a moment later. Whoever opens it by a key calls this, so that the next key is the menu's.
  enter() {
    if (!this.#menu.matches(":popover-open") || this.#menu.contains(document.activeElement)) return
    const items = this.#items
    const checked = this.hasAttribute("data-changes") ? "false" : "true"
    ;(items.find((item) => item.ariaChecked === checked) ?? items[0])?.focus()
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
      next = this.#named(event, items, at)
    }
    if (!next) return

    event.preventDefault()
    event.stopPropagation()
    next.focus()
  }

  // One letter goes on to the next item that begins with it, several to the one that is called so.
  #named(event, items, at) {
    const goesOn = event.timeStamp - this.#typedAt < ONE_WORD_WITHIN
    this.#typed = (goesOn ? this.#typed : "") + event.key.toLowerCase()
    this.#typedAt = event.timeStamp
    const isOneLetter = [...this.#typed].every((letter) => letter === this.#typed[0])
    const sought = isOneLetter ? this.#typed[0] : this.#typed
    const from = at + (isOneLetter ? 1 : 0)
    const inOrder = [...items.slice(from), ...items.slice(0, from)]
    return inOrder.find((item) => nameOf(item).startsWith(sought)) ?? items[at]
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

// What a screen reader calls it: a picture's initials are no name.
function nameOf(item) {
  const words = item.cloneNode(true)
  for (const hidden of words.querySelectorAll("[aria-hidden='true']")) hidden.remove()
  return words.textContent.trim().toLowerCase()
}
customElements.define("action-menu", ActionMenu)
