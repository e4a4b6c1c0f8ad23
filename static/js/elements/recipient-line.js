// <recipient-line data-open>: whom a mail goes to in one line, always above Send; its button opens the fields.
// data-mends: nothing was sent; where it is somebody here who is to be corrected, one goes there.
// Once somebody named people by hand, a mail that comes in changes them no more (the field `touched`).
class RecipientLine extends HTMLElement {
  get #button() { return this.querySelector("[data-toggle-fields]") }
  get #sum() { return this.querySelector(".rcpt__sum") }

  connectedCallback() {
    this.addEventListener("click", this)
    this.addEventListener("keydown", this)
    this.addEventListener("input", this)
    this.addEventListener("recipients:changed", this)
    document.addEventListener("htmx:before:swap", this)
    // After the editor, which takes the focus when a reply begins.
    if (this.hasAttribute("data-moves-focus") && !this.querySelector("[data-name='to'] .token")) {
      setTimeout(() => this.querySelector(".rcpt__input")?.focus(), 50)
    }
    if (this.hasAttribute("data-mends")) setTimeout(() => this.#mend(), 50)
  }

  disconnectedCallback() {
    this.removeEventListener("click", this)
    this.removeEventListener("keydown", this)
    this.removeEventListener("input", this)
    this.removeEventListener("recipients:changed", this)
    document.removeEventListener("htmx:before:swap", this)
  }

  handleEvent(event) {
    if (event.type === "htmx:before:swap") this.#stay(event.detail)
    else if (event.type === "click") {
      if (event.target.closest("[data-toggle-fields]")) this.#toggle(!this.hasAttribute("data-open"))
      else if (event.target.closest(".rcpt__sum")) this.#toggle(true)
    } else if (event.type === "keydown") {
      // Enter in the subject goes on to the text; it does not send.
      if (event.key !== "Enter" || event.target.name !== "subject" || event.ctrlKey || event.metaKey) return
      event.preventDefault()
      this.closest("form")?.querySelector(":is(.editor, textarea[name='text']:not([hidden]))")?.focus()
    } else {
      this.#touch()
      if (event.type === "recipients:changed") this.#sumUp()
    }
  }

  #toggle(open) {
    this.toggleAttribute("data-open", open)
    this.#button.setAttribute("aria-expanded", open)
    this.querySelector("[name='opened']").value = open ? "1" : ""
    if (open) this.querySelector(".rcpt__input")?.focus()
  }

  #mend() {
    const nobody = this.querySelector("[data-name='to'] .token") ? null : this.querySelector("[data-name='to'] .rcpt__input")
    const field = this.querySelector(".rcpt__input[aria-invalid='true']") ?? nobody
    if (!field) return
    this.#toggle(true)
    field.focus()
  }

  // A message comes in while one names people here: asked for before one began, the new head would take that away.
  #stay({ ctx, tasks }) {
    if (!ctx.sourceElement.matches("live-part")) return // somebody asked for it
    if (!this.querySelector("[name='touched']") && !this.contains(document.activeElement)) return

    const at = tasks.findIndex(({ target }) => element(target) === this.parentElement)
    if (at < 0) return
    tasks.splice(at, 1)
    this.#touch()
  }

  #touch() {
    if (this.querySelector("[name='touched']")) return

    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "touched", value: "1" })
    field.dataset.answers = ""
    this.prepend(field)
  }

  #sumUp() {
    const parts = []
    for (const field of this.querySelectorAll("recipient-field")) {
      if (!field.people.length) continue
      const label = document.createElement("span")
      label.textContent = field.dataset.label
      if (field.dataset.name === "to") label.className = "sr-only"
      const who = document.createElement("span")
      who.className = "rcpt__who"
      field.people.forEach((person, at) => {
        const name = Object.assign(document.createElement("span"), { title: person.address, textContent: person.label })
        who.append(...(at ? [", ", name] : [name]))
      })
      parts.push(label, " ", who, " ")
    }
    if (!parts.length) {
      parts.push(Object.assign(document.createElement("span"), { className: "rcpt__who", textContent: this.dataset.nobody }))
    }
    this.#sum.replaceChildren(...parts)
  }
}

function element(target) {
  return typeof target === "string" ? document.querySelector(target) : target
}
customElements.define("recipient-line", RecipientLine)
