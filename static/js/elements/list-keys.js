// <list-keys class="ws__rows">: J and K move in the list of tickets; Enter opens one, because the cursor is the focus of
// its link.
import { singleKeysAreOn } from "./key-preference.js";

let cursor = null // id of the row, so that the cursor outlives a swap of the list
let goesOn = false // J at the last row: on to the next page's first, as soon as it is there

class ListKeys extends HTMLElement {
  connectedCallback() {
    document.addEventListener("keydown", this)
    document.addEventListener("htmx:after:swap", this)
    this.#mark()
    // A page that was loaded anew, or by somebody's link: the open ticket is in sight.
    this.querySelector(".trow:has([aria-current])")?.scrollIntoView({ block: "nearest" })
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this)
    document.removeEventListener("htmx:after:swap", this)
  }

  handleEvent(event) {
    if (event.type !== "keydown") return this.#swapped()
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || !singleKeysAreOn()) return
    if (event.target.closest?.("input, textarea, select, [contenteditable], [popover], dialog")) return

    const by = { j: 1, k: -1 }[event.key.toLowerCase()]
    if (!by) return

    event.preventDefault()
    this.#move(by)
  }

  #move(by) {
    const rows = [...this.querySelectorAll(".trow")]
    if (rows.length === 0) return

    const here = rows.findIndex((row) => row.id === cursor)
    const at = here >= 0 ? here : rows.findIndex((row) => row.querySelector("[aria-current]"))
    // Nothing open and no cursor: J begins at the top, K too.
    const to = at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + by))
    goesOn = by > 0 && at === rows.length - 1
    // In sight, the way to the next page is taken by itself.
    if (goesOn) this.querySelector("#list-end a")?.scrollIntoView({ block: "nearest" })
    cursor = rows[to].id
    this.#mark()
    if (!goesOn) rows[to].scrollIntoView({ block: "nearest" })
    rows[to].querySelector(".trow__link")?.focus({ preventScroll: true })
  }

  #swapped() {
    this.#mark()
    const last = [...this.querySelectorAll(".trow")].at(-1)
    if (goesOn && last && last.id !== cursor && document.activeElement?.closest(".trow")?.id === cursor) this.#move(1)
  }

  #mark() {
    for (const row of this.querySelectorAll(".trow")) row.classList.toggle("is-cursor", row.id === cursor)
  }
}
customElements.define("list-keys", ListKeys)
