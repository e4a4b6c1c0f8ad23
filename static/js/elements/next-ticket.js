// <next-ticket>: around a form that finishes with a ticket. Once it is changed, the row below it opens; when it was the
// last one, the row above. Where that is, is looked up before the list moves.
class NextTicket extends HTMLElement {
  #next = null

  connectedCallback() {
    this.addEventListener("submit", this, true) // before it is sent
    document.addEventListener("ticket:changed", this)
  }

  disconnectedCallback() {
    this.removeEventListener("submit", this, true)
    // The answer swaps us out before it says that the ticket changed.
    setTimeout(() => document.removeEventListener("ticket:changed", this), 1_000)
  }

  get goesOn() { return this.#next !== null }

  handleEvent(event) {
    if (event.type === "submit") this.#next = this.#neighbour()
    else if (this.#next) this.#open()
  }

  #neighbour() {
    const rows = [...document.querySelectorAll(".trow")]
    const at = rows.findIndex((row) => row.querySelector("[aria-current]"))
    return at < 0 ? null : (rows[at + 1] ?? rows[at - 1])?.id ?? null
  }

  #open() {
    const row = document.getElementById(this.#next)
    this.#next = null
    row?.querySelector(".trow__link")?.click()
  }
}
customElements.define("next-ticket", NextTicket)
