// <form-layout>: the rows of a form that somebody arranges. They are dragged, or moved with the arrow keys on their handle;
// then the form sends itself (layout:changed), and the server shows what came of it.
class FormLayout extends HTMLElement {
  #dragged = null

  connectedCallback() {
    for (const type of ["pointerdown", "keydown"]) this.addEventListener(type, this)
  }

  disconnectedCallback() {
    for (const type of ["pointerdown", "keydown"]) this.removeEventListener(type, this)
    this.#listen(false)
  }

  handleEvent(event) {
    if (event.type === "keydown") this.#key(event)
    else if (event.type === "pointerdown") this.#grab(event)
    else if (event.type === "pointermove") this.#drag(event)
    else this.#drop()
  }

  get #rows() { return [...this.querySelectorAll(".formrow")] }

  #key(event) {
    const row = event.target.closest(".formrow__grip")?.closest(".formrow")
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    if (!row || !by) return

    event.preventDefault()
    const other = this.#rows[this.#rows.indexOf(row) + by]
    if (!other) return
    if (by < 0) other.before(row)
    else other.after(row)
    row.querySelector(".formrow__grip").focus()
    this.#changed()
  }

  #grab(event) {
    const grip = event.target.closest(".formrow__grip")
    if (!grip || event.button !== 0) return
    event.preventDefault()
    grip.focus()
    this.#dragged = grip.closest(".formrow")
    this.#dragged.classList.add("is-dragging")
    this.#listen(true)
  }

  #drag(event) {
    const before = this.#rows.find((row) => row !== this.#dragged && event.clientY < middle(row))
    if (before) {
      if (before.previousElementSibling !== this.#dragged) before.before(this.#dragged)
    } else if (this.#dragged.nextElementSibling) {
      this.#dragged.parentElement.append(this.#dragged)
    }
  }

  #drop() {
    this.#listen(false)
    this.#dragged?.classList.remove("is-dragging")
    this.#dragged = null
    this.#changed()
  }

  // Everywhere, since a pointer that drags leaves the row it drags.
  #listen(on) {
    for (const type of ["pointermove", "pointerup", "pointercancel"]) {
      if (on) document.addEventListener(type, this)
      else document.removeEventListener(type, this)
    }
  }

  #changed() {
    this.dispatchEvent(new CustomEvent("layout:changed", { bubbles: true }))
  }
}

function middle(row) {
  const { top, height } = row.getBoundingClientRect()
  return top + height / 2
}
customElements.define("form-layout", FormLayout)
