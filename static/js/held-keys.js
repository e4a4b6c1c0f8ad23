// Keys pressed while it is not known where they belong: a mail is about to leave, say.
const KEPT = ["Enter", "Backspace"]
const TYPED_IN = "input, textarea, [contenteditable]"

export class HeldKeys {
  #keys = []
  #field = document.activeElement

  constructor() {
    addEventListener("keydown", this, true) // before anybody hears of it
  }

  handleEvent(event) {
    const { key } = event
    const isCommand = (event.ctrlKey || event.metaKey) && !event.getModifierState("AltGraph")
    if (isCommand || (key.length > 1 && !KEPT.includes(key))) return
    event.preventDefault()
    event.stopImmediatePropagation()
    this.#keys.push(key)
  }

  // Into the field where one was, or to what has taken its place.
  release() {
    removeEventListener("keydown", this, true)
    for (const key of this.#keys) {
      const to = document.activeElement
      if (to === this.#field && to.matches(TYPED_IN)) put(key, to)
      else to.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }))
    }
    this.#keys = []
  }
}

// At the caret, as a person types it.
export function write(text, field) {
  for (const [at, line] of text.split("\n").entries()) {
    if (at) document.execCommand(field.isContentEditable ? "insertParagraph" : "insertText", false, "\n")
    if (line) document.execCommand("insertText", false, line)
  }
}

function put(key, field) {
  if (key === "Backspace") document.execCommand("delete")
  else write(key === "Enter" ? "\n" : key, field)
}
