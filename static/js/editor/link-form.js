// Asks where a link leads, over the text it is about.
export class LinkForm {
  #host
  #squire
  #about // the selection that the form is about

  constructor(host, squire) {
    this.#host = host
    this.#squire = squire
    this.#form?.addEventListener("keydown", this)
    this.#form?.addEventListener("click", this)
  }

  close() {
    this.#form?.removeEventListener("keydown", this)
    this.#form?.removeEventListener("click", this)
  }

  ask(link) {
    this.#about = this.#squire.getSelection().cloneRange()
    const input = this.#form.querySelector("input")
    input.value = link?.getAttribute("href") ?? ""
    this.#form.querySelector("[data-link-remove]").hidden = !input.value
    const button = this.#host.querySelector("[data-command='link']")
    this.#form.showPopover({ source: button?.checkVisibility() ? button : this.#host.querySelector(".editor") })
    input.focus()
    input.select()
    this.link = link
  }

  handleEvent(event) {
    if (event.type === "click") {
      if (event.target.closest("[data-link-apply]")) this.#apply()
      if (event.target.closest("[data-link-remove]")) this.#remove()
    } else if (event.key === "Enter" && event.target.matches("input")) {
      event.preventDefault() // the form around us is the whole reply
      event.stopPropagation()
      this.#apply()
    } else if (event.key === "Escape") {
      event.preventDefault()
      event.stopPropagation()
      this.#back()
    }
  }

  get #form() { return this.#host.querySelector("[data-link-form]") }

  #apply() {
    const address = webAddress(this.#form.querySelector("input").value)
    this.#back()
    if (!address) return

    if (this.link && this.#squire.getSelection().collapsed) {
      // The whole link gets the new address, not a second one beside it.
      this.#squire.saveUndoState()
      this.link.setAttribute("href", address)
    } else this.#squire.makeLink(address)
    this.#squire.focus()
  }

  #remove() {
    this.#back()
    this.#squire.removeLink()
    this.#squire.focus()
  }

  #back() {
    this.#form.hidePopover()
    this.#squire.focus()
    if (this.#about) this.#squire.setSelection(this.#about)
  }
}

// "example.com" is a web address and "a@example.com" a mail address; anything that could run is neither.
function webAddress(typed) {
  const text = typed.trim()
  if (!text) return ""
  if (/^(https?|mailto|tel):/i.test(text)) return text
  if (/^[^\s@/]+@[^\s@/]+$/.test(text)) return `mailto:${text}`
  return /^[a-z][a-z0-9+.-]*:(?!\d)/i.test(text) ? "" : `https://${text}`
}
