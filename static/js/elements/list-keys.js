// <list-keys class="ws__rows">: J and K move in the list of tickets; Enter opens one, because the cursor is the focus of
// its link.
import { singleKeysAreOn } from "./key-preference.js";

let cursor = null // id of the row, so that the cursor outlives a swap of the list
let open = null // id of the row of the open ticket: whatever opened it, J and K go on from there
let place = null // { above, below }: ids around the place that the cursor's row has left, nearest first
let shown = [] // ids of the rows, as they were before they are swapped
let view // that they are of
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

    const at = rows.findIndex((row) => row.id === cursor)
    const beside = place?.[by > 0 ? "below" : "above"].find((id) => rows.some((row) => row.id === id))
    // No cursor, nor a place of one: J begins at the top, K too.
    const next = beside ? rows.findIndex((row) => row.id === beside) : at < 0 ? 0 : at + by
    const to = Math.max(0, Math.min(rows.length - 1, next))
    place = null
    goesOn = by > 0 && !beside && at === rows.length - 1
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

  // A row that went elsewhere in the list, or out of it, leaves the cursor in its place.
  #mark() {
    const rows = [...this.querySelectorAll(".trow")]
    const ids = rows.map((row) => row.id)
    const nowOpen = rows.find((row) => row.querySelector("[aria-current]"))?.id ?? null
    const nowView = document.querySelector("#listed")?.value
    if (nowView !== view) cursor = place = open = null
    else if (cursor && shown.includes(cursor) && hasMoved(ids)) place = around(cursor)
    if (nowOpen && nowOpen !== open) [cursor, place] = [nowOpen, null]
    ;[open, shown, view] = [nowOpen, ids, nowView]
    for (const row of rows) row.classList.toggle("is-cursor", row.id === cursor)
  }
}

function around(id) {
  const at = shown.indexOf(id)
  return { above: shown.slice(0, at).reverse(), below: shown.slice(at + 1) }
}

// Its neighbours have closed up behind it. That they moved themselves is no reason to leave it.
function hasMoved(ids) {
  const stayed = shown.filter((id) => id !== cursor && ids.includes(id))
  const { above, below } = around(cursor)
  const before = above.find((id) => stayed.includes(id))
  const after = below.find((id) => stayed.includes(id))
  if (!before && !after) return false

  const without = ids.filter((id) => id === cursor || stayed.includes(id))
  const at = without.indexOf(cursor)
  if (at < 0) return true
  if (without[at - 1] === before && without[at + 1] === after) return false
  without.splice(at, 1)
  return before ? without[without.indexOf(before) + 1] === after : without[0] === after
}
customElements.define("list-keys", ListKeys)
