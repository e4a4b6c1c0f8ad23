// What a <rich-editor> does once its editor is here: the surface, the fields behind it, pasting, dropping, sending.
import Squire from "../../vendor/squire/squire.js";
import { clean } from "./cleaning.js";
import { Draft } from "./draft.js";
import { Formatting } from "./formatting.js";
import { Uploads } from "./uploads.js";

// Images of texts in this page: address they are shown by (blob: until the server has them) -> the server's answer.
const arrived = new Map()
// What was last sent, by data-key: a text is taken away only when it is still that one.
const submitted = new Map()

export class Editing {
  #host
  #form
  #field // <input name="html">, in step with the surface
  #plain // the <textarea> that it stands in for
  #root
  #squire
  #formatting
  #uploads
  #draft
  #sent = false
  static #SURFACE = ["paste", "drop", "dragover", "dragleave"]

  constructor(host) {
    this.#host = host
    this.#form = host.closest("form")
    this.#plain = host.querySelector("textarea")
    this.#field = host.querySelector("input[name='html']")
    this.#draft = new Draft(host.dataset.key)
    this.#uploads = new Uploads(host)
    this.#open()
    this.#formatting = new Formatting(host, this.#squire)

    // Ahead of Squire's own listeners, which sit on the surface itself.
    for (const event of Editing.#SURFACE) host.addEventListener(event, this, true)
    host.addEventListener("keydown", this, true)
    host.addEventListener("click", this)
    host.addEventListener("change", this)
    host.addEventListener("editor:changed", this)
    this.#form?.addEventListener("submit", this, true)
    document.addEventListener("draft:saved", this)
    addEventListener("pagehide", this)
    host.toggleAttribute("data-ready", true)
  }

  // Leaves the page as it was without us, so that the same element can be put into it again.
  close() {
    const host = this.#host
    this.#keep()
    for (const event of Editing.#SURFACE) host.removeEventListener(event, this, true)
    host.removeEventListener("keydown", this, true)
    host.removeEventListener("click", this)
    host.removeEventListener("change", this)
    host.removeEventListener("editor:changed", this)
    this.#form?.removeEventListener("submit", this, true)
    document.removeEventListener("draft:saved", this)
    removeEventListener("pagehide", this)
    this.#formatting.close()
    this.#uploads.close()
    this.#squire.destroy()
    this.#root.remove()
    this.#field.disabled = true
    this.#plain.disabled = this.#plain.hidden = false
    host.removeAttribute("data-ready")
  }

  handleEvent(event) {
    const answer = {
      paste: () => this.#take(event, event.clipboardData),
      drop: () => this.#drop(event),
      dragover: () => this.#hover(event, true),
      dragleave: () => this.#hover(event, false),
      keydown: () => this.#key(event),
      click: () => this.#click(event),
      change: () => this.#chosen(event),
      submit: () => this.#submit(event),
      pagehide: () => this.#keep(),
      "editor:changed": () => this.#changed(),
      "draft:saved": () => this.#saved(event),
    }[event.type]
    answer?.()
  }

  #open() {
    const plain = this.#plain
    this.#root = Object.assign(document.createElement("div"), { className: "editor composer__body", role: "textbox" })
    this.#root.ariaMultiLine = "true"
    this.#root.ariaLabel = plain.ariaLabel ?? plain.labels[0]?.textContent.trim() ?? ""
    for (const name of ["aria-describedby", "aria-invalid", "lang", "dir"]) {
      if (plain.hasAttribute(name)) this.#root.setAttribute(name, plain.getAttribute(name))
    }
    this.#root.dataset.placeholder = plain.placeholder
    const hadFocus = document.activeElement === plain
    plain.before(this.#root)
    plain.disabled = plain.hidden = true
    this.#field.disabled = false

    this.#squire = new Squire(this.#root, { blockTag: "P", sanitizeToDOMFragment: clean })
    this.#squire.addEventListener("willPaste", (event) => this.#embed(event.detail.fragment))
    this.#fill()
    this.#squire.addEventListener("input", () => this.#changed())
    this.#changed()
    const wasRefused = plain.ariaInvalid === "true" && document.activeElement === document.body
    if (hadFocus || wasRefused) this.#squire.moveCursorToEnd().focus()
  }

  // What the server sent (a form with errors), what was typed before we came, or what this tab kept.
  #fill() {
    if (this.#host.hasAttribute("data-fresh")) this.#draft.forget()
    const kept = this.#draft.kept
    for (const image of kept?.images ?? []) remember(image.url, image)
    if (!this.#host.querySelector("[data-chips] .attachment")) this.#uploads.restore(kept?.files ?? [])
    const typed = this.#plain.value
    if (this.#field.value) this.#squire.setHTML(this.#field.value)
    else if (typed.trim() && typed !== this.#plain.defaultValue) this.#squire.setHTML(paragraphs(typed))
    else if (kept) this.#squire.setHTML(kept.html)
    else if (typed.trim()) this.#squire.setHTML(paragraphs(typed))
  }

  #changed() {
    for (const image of this.#root.querySelectorAll("img[src^='blob:']")) {
      const sent = arrived.get(image.src)
      if (sent) this.#settle(image, sent)
    }
    const empty = !this.#root.textContent.trim() && !this.#root.querySelector("img, hr")
    const bare = empty && !this.#root.querySelector("li, blockquote, pre")
    this.#root.toggleAttribute("data-empty", bare)
    this.#field.value = empty ? "" : withoutEndingLines(this.#squire.getHTML())
    this.#carryImages()
    this.#draft.keepSoon(() => this.#content())
  }

  #keep() {
    if (!this.#sent) this.#draft.keep(this.#content())
  }

  #content() {
    const holder = document.createElement("div")
    holder.append(clean(this.#field.value)) // without images that are not on the server yet
    for (const image of holder.querySelectorAll("img:not([src]), img[src^='blob:']")) image.remove()
    return { html: holder.innerHTML, files: this.#uploads.files, images: this.#images }
  }

  get #images() {
    const inText = [...this.#root.querySelectorAll("img")].map((image) => arrived.get(image.src)).filter(Boolean)
    return [...new Set(inText)]
  }

  // An image counts as attached as long as it stands in the text.
  #carryImages() {
    for (const field of this.#host.querySelectorAll("input[data-image]")) field.remove()
    for (const { id } of this.#images) {
      const field = Object.assign(document.createElement("input"), { type: "hidden", name: "upload", value: id })
      field.dataset.image = ""
      this.#host.append(field)
    }
  }

  // Files on the clipboard are ours; text that brings a picture of itself along (a word processor) is Squire's.
  #take(event, transfer) {
    const files = [...(transfer?.files ?? [])]
    const isText = ["text/plain", "text/rtf"].some((type) => transfer.types.includes(type))
    if (files.length === 0 || isText || !this.#root.contains(event.target)) return

    event.preventDefault()
    event.stopImmediatePropagation()
    this.#addAll(files)
  }

  #drop(event) {
    this.#hover(event, false)
    const files = [...(event.dataTransfer?.files ?? [])]
    if (files.length === 0) return

    event.preventDefault()
    event.stopImmediatePropagation()
    if (this.#root.contains(event.target)) {
      const at = document.caretPositionFromPoint?.(event.clientX, event.clientY)
      const range = document.createRange()
      if (at && this.#root.contains(at.offsetNode)) {
        range.setStart(at.offsetNode, at.offset)
        this.#squire.setSelection(range)
      }
    }
    this.#addAll(files)
  }

  #hover(event, over) {
    if (over && !event.dataTransfer?.types.includes("Files")) return
    if (over) event.preventDefault()
    if (over || !this.#host.contains(event.relatedTarget)) this.#host.toggleAttribute("data-dropping", over)
  }

  #addAll(files) {
    for (const file of files) {
      if (/^image\/(png|jpeg|gif|webp)$/.test(file.type)) this.#addImage(file)
      else this.#uploads.add(file)
    }
  }

  #addImage(file) {
    const address = URL.createObjectURL(file)
    const image = this.#squire.insertImage(address, { alt: "", "data-uploading": "" })
    return this.#upload(file, image)
  }

  async #upload(file, image) {
    const address = image.src
    const sent = await this.#uploads.add(file, { inline: true })
    if (sent) remember(address, sent)
    // By its address: undo may have put another element in the image's place.
    for (const there of [...this.#root.querySelectorAll("img")].filter((img) => img.src === address)) {
      if (sent) this.#settle(there, sent)
      else there.remove()
    }
    this.#changed()
  }

  #settle(image, sent) {
    image.setAttribute("src", sent.url)
    image.setAttribute("alt", sent.name ?? "")
    image.removeAttribute("data-uploading")
  }

  // Pasted HTML may carry its images in itself. They are files to a mail, so they are sent as files.
  #embed(fragment) {
    for (const image of fragment?.querySelectorAll("img[src^='data:image/']") ?? []) {
      const file = fileFrom(image.getAttribute("src"))
      if (!file) {
        image.remove()
        continue
      }
      image.src = URL.createObjectURL(file)
      image.dataset.uploading = ""
      this.#upload(file, image)
    }
  }

  #key(event) {
    const command = (event.ctrlKey || event.metaKey) && !event.altKey
    if (command && event.key === "Enter") {
      event.preventDefault()
      event.stopPropagation()
      this.#form?.requestSubmit(this.#form.querySelector("[data-send]") ?? undefined)
    } else if (command && !event.shiftKey && event.key.toLowerCase() === "k" && event.target === this.#root) {
      event.preventDefault()
      event.stopPropagation()
      this.#formatting.run("link")
    }
  }

  #click(event) {
    const command = event.target.closest("[data-command]")?.dataset.command
    if (command === "attach") this.#host.querySelector("input[type='file']").click()
    else if (command) this.#formatting.run(command)
  }

  #chosen(event) {
    if (event.target.type !== "file") return

    for (const file of event.target.files) this.#uploads.add(file)
    event.target.value = ""
  }

  #submit(event) {
    this.#changed()
    const status = this.#host.querySelector("[data-status]")
    status.textContent = this.#uploads.going ? status.dataset.uploading : ""
    if (this.#uploads.going) {
      event.preventDefault()
      event.stopImmediatePropagation()
      return
    }

    submitted.set(this.#host.dataset.key, this.#field.value)
    if (!this.#form.matches("[hx-post]")) {
      // The next page will not tell us; with errors, it brings the text along.
      this.#sent = true
      this.#draft.forget()
    }
  }

  // The server has the text. Mostly a fresh composer has taken our place already.
  #saved(event) {
    const key = this.#host.dataset.key
    if (!event.detail.items.some((item) => item.key === key) || this.#field.value !== submitted.get(key)) return

    this.#squire.setHTML("")
    this.#uploads.clear()
    this.#changed()
    this.#draft.forget()
  }

}

function remember(address, sent) {
  arrived.set(address, sent)
  arrived.set(new URL(sent.url, location.href).href, sent)
}

// Squire keeps an empty line after a list, a quote or a table, so that one can write on below it.
function withoutEndingLines(html) {
  return html.replace(/(?:<(p|div)><br><\/\1>)+$/, "")
}

// Plain text as the editor would have it: a paragraph between empty lines, a break at every other line end.
function paragraphs(text) {
  const holder = document.createElement("div")
  for (const part of text.trim().split(/\n\s*\n/)) {
    const paragraph = document.createElement("p")
    part.split("\n").forEach((line, at) => paragraph.append(...(at ? [document.createElement("br"), line] : [line])))
    holder.append(paragraph)
  }
  return holder.innerHTML
}

function fileFrom(address) {
  const [, type, base64] = /^data:(image\/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=\s]+)$/.exec(address) ?? []
  if (!type) return null
  try {
    const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0))
    return new File([bytes], `image.${type.slice(6)}`, { type })
  } catch {
    return null
  }
}
