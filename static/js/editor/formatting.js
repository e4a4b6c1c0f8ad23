// What the toolbar's buttons (data-command) and the keys do to the text, and which of them are on.
import { LinkForm } from "./link-form.js";

const TAGS = { bold: "B", italic: "I", underline: "U", list: "UL", numbers: "OL", quote: "BLOCKQUOTE", link: "A", code: "CODE" }
const KEYS = { KeyB: "bold", KeyI: "italic", KeyU: "underline", KeyK: "link", KeyZ: "undo", KeyY: "redo", Backslash: "clear" }
const SHIFTED = { Digit7: "numbers", Digit8: "list", Digit9: "quote", KeyZ: "redo" }

export class Formatting {
  #host
  #squire
  #linkForm
  #frame

  constructor(host, squire) {
    this.#host = host
    this.#squire = squire
    this.#linkForm = new LinkForm(host, squire)
    for (const event of ["pathChange", "select", "input"]) squire.addEventListener(event, () => this.#showSoon())
    squire.addEventListener("undoStateChange", ({ detail }) => this.#offer(detail))
    this.#show()
    this.#offer({ canUndo: false, canRedo: false })
  }

  close() {
    cancelAnimationFrame(this.#frame)
    this.#linkForm.close()
  }

  // Whether the key was one of ours. By its place: another layout has other letters on the digits with Shift.
  key(event) {
    const command = (event.shiftKey ? SHIFTED : KEYS)[letterOrPlace(event)]
    if (command) this.run(command)
    return Boolean(command)
  }

  run(command) {
    const squire = this.#squire
    const on = TAGS[command] && this.#has(TAGS[command])
    const act = {
      bold: () => (on ? squire.removeBold() : squire.bold()),
      italic: () => (on ? squire.removeItalic() : squire.italic()),
      underline: () => (on ? squire.removeUnderline() : squire.underline()),
      list: () => (on ? squire.removeList() : squire.makeUnorderedList()),
      numbers: () => (on ? squire.removeList() : squire.makeOrderedList()),
      quote: () => (on ? squire.decreaseQuoteLevel() : squire.increaseQuoteLevel()),
      code: () => squire.toggleCode(),
      link: () => this.#linkForm.ask(this.#closest("A")),
      clear: () => squire.removeAllFormatting(),
      rule: () => squire.saveUndoState().insertElement(document.createElement("hr")),
      undo: () => squire.undo(),
      redo: () => squire.redo(),
    }[command]
    act?.()
    if (command !== "link") squire.focus()
    this.#show()
  }

  // Once a frame, however many events a key has.
  #showSoon() {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => this.#show())
  }

  #show() {
    for (const button of this.#host.querySelectorAll("[data-command][aria-pressed]")) {
      const on = String(this.#has(TAGS[button.dataset.command]))
      if (button.getAttribute("aria-pressed") !== on) button.setAttribute("aria-pressed", on)
    }
  }

  // Not `disabled`, which would take the focus away from a button that was just pressed.
  #offer({ canUndo, canRedo }) {
    for (const [command, can] of [["undo", canUndo], ["redo", canRedo]]) {
      this.#host.querySelector(`[data-command='${command}']`)?.setAttribute("aria-disabled", !can)
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

// Letters by what they say (a French B), digits and signs by their place (a Finnish 7 with Shift is a slash).
function letterOrPlace({ key, code }) {
  return /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : code
}
