// What is pasted into an editor or dropped on it: files go up, text of other programs is made clean.
import { fromOutside } from "./outside.js";
import { paragraphs } from "./plain.js";
import { Pictures } from "./pictures.js";

const EVENTS = ["paste", "drop", "dragover", "dragleave", "dragend", "dragstart"]

export class Transfer {
  #host
  #area // the whole composer takes what is dropped
  #squire
  #pictures
  #uploads
  #onlyWords = false // Ctrl+Shift+V
  #ownDrag = false

  constructor(host, squire, pictures, uploads) {
    this.#host = host
    this.#area = host.closest("form") ?? host
    this.#squire = squire
    this.#pictures = pictures
    this.#uploads = uploads
    // Ahead of Squire's own listeners, which sit on the surface itself.
    for (const event of EVENTS) this.#area.addEventListener(event, this, true)
    host.addEventListener("keydown", this, true)
  }

  close() {
    for (const event of EVENTS) this.#area.removeEventListener(event, this, true)
    this.#host.removeEventListener("keydown", this, true)
  }

  handleEvent(event) {
    if (event.type === "keydown") this.#onlyWords = event.shiftKey && (event.ctrlKey || event.metaKey)
    else if (event.type === "paste") this.#paste(event)
    else if (event.type === "drop") this.#drop(event)
    else if (event.type === "dragover") this.#over(event)
    else if (event.type === "dragleave" && !this.#area.contains(event.relatedTarget)) this.#show(false)
    else if (event.type === "dragstart") this.#ownDrag = this.#root.contains(event.target)
    else if (event.type === "dragend") this.#ownDrag = false
  }

  // Pictures come into the text, other files below it.
  takeFiles(files) {
    if (!this.#uploads.takes) return
    for (const file of files) {
      if (Pictures.isPicture(file)) this.#pictures.add(file)
      else this.#uploads.add(file)
    }
  }

  get #root() { return this.#squire.getRoot() }

  #paste(event) {
    const from = event.clipboardData
    if (!from || !this.#root.contains(event.target)) return

    const onlyWords = this.#onlyWords
    this.#onlyWords = false
    const html = onlyWords ? "" : from.getData("text/html")
    const text = from.getData("text/plain")
    // Word processors and spreadsheets add a picture of what is text as well.
    const files = text || from.types.includes("text/rtf") ? [] : [...from.files]
    if (!files.length && !html && !text.includes("\n")) return // one plain line: Squire knows about links

    event.preventDefault()
    event.stopImmediatePropagation()
    if (files.length) this.takeFiles(files)
    else this.#insert(html, text)
  }

  #insert(html, text) {
    const inCode = this.#squire.getSelection().startContainer.parentElement?.closest("pre, code")
    if (inCode) this.#squire.insertPlainText(text, true)
    // What our own editor copied is taken as it is, and cleaned like everything on its way in.
    else if (html) this.#squire.insertHTML(apart(html.includes("<!-- squire -->") ? html : fromOutside(html)), true)
    else this.#squire.insertHTML(paragraphs(text), true)
  }

  #drop(event) {
    this.#show(false)
    const from = event.dataTransfer
    const files = [...(from?.files ?? [])]
    const html = from?.getData("text/html") ?? ""
    const inText = this.#root.contains(event.target)
    if (!files.length && (this.#ownDrag || !html || !inText)) return

    event.preventDefault()
    event.stopImmediatePropagation()
    if (inText) this.#caretTo(event.clientX, event.clientY)
    if (files.length) this.takeFiles(files)
    else this.#insert(html, from.getData("text/plain"))
  }

  #over(event) {
    if (!event.dataTransfer?.types.includes("Files") || !this.#uploads.takes) return

    event.preventDefault()
    event.dataTransfer.dropEffect = "copy"
    this.#show(true)
  }

  #show(over) {
    if (this.#host.hasAttribute("data-dropping") !== over) this.#host.toggleAttribute("data-dropping", over)
  }

  #caretTo(x, y) {
    const at = document.caretPositionFromPoint?.(x, y)
    if (!at || !this.#root.contains(at.offsetNode)) return
    const range = document.createRange()
    range.setStart(at.offsetNode, at.offset)
    this.#squire.setSelection(range)
  }
}

// Squire joins what stood behind the caret to the last block that comes in. Words that follow are none of a table's.
function apart(html) {
  return /<\/(table|tbody)>\s*(<!--.*?-->\s*|<\/\w+>\s*)*$/.test(html) ? `${html}<p><br></p>` : html
}
