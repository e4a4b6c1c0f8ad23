// The toolbar's buttons (data-command), their pressed state, and the link form.
const TAGS = { bold: "B", italic: "I", underline: "U", list: "UL", numbers: "OL", quote: "BLOCKQUOTE", link: "A", code: "CODE" }

export class Formatting {
  #squire
  #host
  #linked // the selection that the link form is about

  constructor(host, squire) {
    this.#host = host
    this.#squire = squire
    for (const event of ["pathChange", "select", "input"]) squire.addEventListener(event, () => this.#show())
    this.#linkForm?.addEventListener("keydown", this)
    this.#linkForm?.addEventListener("click", this)
    this.#show()
  }

  close() {
    this.#linkForm?.removeEventListener("keydown", this)
    this.#linkForm?.removeEventListener("click", this)
  }

  run(command) {
    const squire = this.#squire
    const on = this.#has(TAGS[command])
    const act = {
      bold: () => (on ? squire.removeBold() : squire.bold()),
      italic: () => (on ? squire.removeItalic() : squire.italic()),
      underline: () => (on ? squire.removeUnderline() : squire.underline()),
      list: () => (on ? squire.removeList() : squire.makeUnorderedList()),
      numbers: () => (on ? squire.removeList() : squire.makeOrderedList()),
      quote: () => (on ? squire.decreaseQuoteLevel() : squire.increaseQuoteLevel()),
      code: () => squire.toggleCode(),
      link: () => this.#askForLink(),
    }[command]
    act?.()
    if (command !== "link") squire.focus()
    this.#show()
  }

  handleEvent(event) {
    if (event.type === "click") {
      if (event.target.closest("[data-link-apply]")) this.#link()
      if (event.target.closest("[data-link-remove]")) this.#unlink()
    } else if (event.key === "Enter") {
      event.preventDefault() // the form around us is the whole reply
      event.stopPropagation()
      this.#link()
    }
  }

  get #linkForm() { return this.#host.querySelector("[data-link-form]") }

  #askForLink() {
    this.#linked = this.#squire.getSelection().cloneRange()
    const input = this.#linkForm.querySelector("input")
    input.value = this.#closest("A")?.getAttribute("href") ?? ""
    this.#linkForm.querySelector("[data-link-remove]").hidden = !input.value
    this.#linkForm.showPopover({ source: this.#host.querySelector("[data-command='link']") ?? undefined })
    input.focus()
    input.select()
  }

  #link() {
    const address = webAddress(this.#linkForm.querySelector("input").value)
    this.#back()
    if (!address) return

    const link = this.#closest("A")
    if (link && this.#squire.getSelection().collapsed) {
      // The whole link gets the new address, not a second one beside it.
      this.#squire.saveUndoState()
      link.setAttribute("href", address)
    } else this.#squire.makeLink(address)
    this.#squire.focus()
  }

  #unlink() {
    this.#back()
    this.#squire.removeLink()
    this.#squire.focus()
  }

  #back() {
    this.#linkForm.hidePopover()
    this.#squire.focus()
    if (this.#linked) this.#squire.setSelection(this.#linked)
  }

  #show() {
    for (const button of this.#host.querySelectorAll("[data-command]")) {
      const tag = TAGS[button.dataset.command]
      if (tag) button.setAttribute("aria-pressed", this.#has(tag))
    }
  }

  #has(tag) {
    const squire = this.#squire
    if (tag === "CODE") return squire.hasFormat("CODE") || squire.hasFormat("PRE")
    if (["UL", "OL", "BLOCKQUOTE"].includes(tag)) return Boolean(this.#closest(tag))
    return squire.hasFormat(tag)
  }

  // Around the beginning of the selection, which may stand before an element as well as in it.
  #closest(tag) {
    const root = this.#squire.getRoot()
    const { startContainer, startOffset } = this.#squire.getSelection()
    let node = startContainer
    if (node.nodeType === Node.TEXT_NODE && startOffset === node.length && node.nextSibling?.nodeName === tag) node = node.nextSibling
    else node = node.childNodes[startOffset] ?? node
    while (node.firstElementChild && node.nodeName !== tag && node !== root) node = node.firstElementChild
    for (; node && node !== root; node = node.parentNode) if (node.nodeName === tag) return node
    return null
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
