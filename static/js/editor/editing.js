// What a <rich-editor> does once its editor is here: the surface, the field behind it, and when it may be sent.
// Where things are: transfer.js (pasting, dropping), pictures.js, uploads.js, formatting.js, caret-menu.js (menus that
// open while one types), placeholders.js, plain.js (what is sent). A keystroke does only what the eye sees at once.
import Squire from "../../vendor/squire/squire.js";
import { caretBefore, lettersBehind } from "./caret.js";
import { clean } from "./cleaning.js";
import { Formatting } from "./formatting.js";
import { Menus } from "./menus.js";
import { Pictures } from "./pictures.js";
import { Placeholders } from "./placeholders.js";
import { begun, sendable } from "./plain.js";
import { Transfer } from "./transfer.js";
import { Uploads } from "./uploads.js";

const SETTLED = 200
// What was last sent, by data-key: a text is taken away only when it is still that one.
const submitted = new Map()

export class Editing {
  #host
  #form
  #field // <input data-html>, in step with the surface when somebody reads it
  #plain // the <textarea> that it stands in for
  #root
  #squire
  #formatting
  #uploads
  #pictures
  #placeholders
  #menus
  #transfer
  #timer

  constructor(host) {
    this.#host = host
    this.#form = host.closest("form")
    this.#plain = host.querySelector("textarea")
    this.#field = host.querySelector("input[data-html]")
    this.#open()

    for (const type of ["keydown", "blur"]) host.addEventListener(type, this, true)
    for (const type of ["click", "change"]) host.addEventListener(type, this)
    this.#form?.addEventListener("submit", this, true)
    this.#form?.addEventListener("formdata", this)
    document.addEventListener("draft:saved", this)
    host.toggleAttribute("data-ready", true)
  }

  // Leaves the page as it was without us, so that the same element can be put into it again.
  close() {
    const host = this.#host
    clearTimeout(this.#timer)
    for (const type of ["keydown", "blur"]) host.removeEventListener(type, this, true)
    for (const type of ["click", "change"]) host.removeEventListener(type, this)
    this.#form?.removeEventListener("submit", this, true)
    this.#form?.removeEventListener("formdata", this)
    document.removeEventListener("draft:saved", this)
    for (const part of [this.#menus, this.#transfer, this.#formatting, this.#placeholders, this.#uploads]) part.close()
    this.#squire.destroy()
    this.#root.remove()
    this.#field.disabled = true
    this.#plain.disabled = this.#plain.hidden = false
    host.removeAttribute("data-ready")
  }

  // The form's fields as they would be sent now.
  sync() {
    clearTimeout(this.#timer)
    this.#pictures.settle()
    this.#field.value = this.#isEmpty ? "" : sendable(this.#root)
    this.#pictures.carry()
    this.#placeholders.mark()
    this.#say("")
  }

  // How many letters stand behind the caret; undefined when it is elsewhere.
  get caret() {
    return document.activeElement === this.#root ? lettersBehind(this.#squire.getSelection(), this.#root) : undefined
  }

  set caret(letters) {
    this.#squire.focus()
    this.#squire.setSelection(caretBefore(letters, this.#root))
  }

  // A menu of another part of the page: see caret-menu.js.
  addMenu(source) {
    this.#menus.add(source)
  }

  // The menu of "/" or ";", where the caret is.
  openMenu(trigger) {
    this.#squire.focus()
    this.#menus.open(trigger)
  }

  handleEvent(event) {
    const answer = {
      keydown: () => this.#key(event),
      blur: () => event.target === this.#root && this.#squire.getSelection(), // which remembers it for the toolbar
      click: () => this.#click(event),
      change: () => this.#chosen(event),
      submit: () => this.#submit(event),
      formdata: () => this.#complete(event.formData),
      "draft:saved": () => this.#saved(event),
    }[event.type]
    answer?.()
  }

  #open() {
    const plain = this.#plain
    this.#root = Object.assign(document.createElement("div"), { className: "editor composer__body", role: "textbox", dir: plain.dir || "auto" })
    this.#root.ariaMultiLine = "true"
    this.#root.ariaLabel = plain.ariaLabel ?? plain.labels[0]?.textContent.trim() ?? ""
    for (const name of ["aria-describedby", "aria-invalid", "lang"]) {
      if (plain.hasAttribute(name)) this.#root.setAttribute(name, plain.getAttribute(name))
    }
    this.#root.dataset.placeholder = plain.placeholder
    const hadFocus = document.activeElement === plain
    const behind = plain.value.slice(plain.selectionEnd).replaceAll("\n", "").length
    plain.before(this.#root)
    plain.disabled = plain.hidden = true
    this.#field.disabled = false

    const host = this.#host
    const changed = () => this.#changed()
    this.#squire = new Squire(this.#root, { blockTag: "P", sanitizeToDOMFragment: clean })
    this.#uploads = new Uploads(host, changed)
    this.#pictures = new Pictures(host, this.#squire, this.#uploads, changed)
    this.#transfer = new Transfer(host, this.#squire, this.#pictures, this.#uploads)
    this.#formatting = new Formatting(host, this.#squire)
    this.#placeholders = new Placeholders(host, this.#squire)
    this.#menus = new Menus(host, this.#squire, {
      run: (command) => this.#run(command),
      placeholders: this.#placeholders,
      html: () => sendable(this.#root),
    })
    this.#fill()
    this.#squire.addEventListener("input", changed)
    this.#changed()
    this.sync()
    const wasRefused = plain.ariaInvalid === "true" && document.activeElement === document.body
    if (hadFocus && behind) this.caret = behind
    else if (hadFocus || wasRefused) this.#squire.moveCursorToEnd().focus()
  }

  // What the server sent (a draft, a form with errors), and what was typed before we came: from here on it is ours.
  #fill() {
    const html = begun(this.#field, this.#plain)
    if (html) this.#squire.setHTML(html).moveCursorToEnd() // where one goes on, when the focus comes
    this.#plain.value = ""
  }

  // At every keystroke: the rest waits until one stops, or until somebody reads the fields.
  #changed() {
    const bare = this.#isEmpty && !this.#root.querySelector("li, blockquote, pre")
    if (this.#root.hasAttribute("data-empty") !== bare) this.#root.toggleAttribute("data-empty", bare)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.sync(), SETTLED)
    this.#host.dispatchEvent(new CustomEvent("editor:changed", { bubbles: true }))
  }

  get #isEmpty() {
    return !/[^\s\u200b]/.test(this.#root.textContent) && !this.#root.querySelector("img, hr, table")
  }

  #key(event) {
    const command = (event.ctrlKey || event.metaKey) && !event.altKey
    if (!command || event.isComposing) return

    const sends = event.key === "Enter"
    if (!sends && !(event.target === this.#root && this.#formatting.key(event))) return

    event.preventDefault()
    event.stopPropagation()
    if (sends) this.#form?.requestSubmit(this.#form.querySelector("[data-send]") ?? undefined)
  }

  #click(event) {
    const button = event.target.closest("[data-command]")
    if (button && button.getAttribute("aria-disabled") !== "true") this.#run(button.dataset.command)
  }

  #run(command) {
    if (command === "attach" || command === "picture") {
      const picker = this.#host.querySelector("input[type='file']")
      picker.accept = command === "picture" ? "image/png,image/jpeg,image/gif,image/webp" : ""
      picker.click()
    } else if (command === "insert") this.openMenu("/")
    else this.#formatting.run(command)
  }

  #chosen(event) {
    if (event.target.type !== "file") return

    if (event.target.accept) this.#transfer.takeFiles(event.target.files)
    else for (const file of event.target.files) this.#uploads.add(file)
    event.target.value = ""
  }

  #submit(event) {
    this.sync()
    const obstacle = this.#uploads.obstacle(this.#bytesInText)
    this.#say(obstacle)
    if (obstacle) {
      event.preventDefault()
      event.stopImmediatePropagation()
      return
    }

    submitted.set(this.#host.dataset.key, this.#field.value)
  }

  // Whoever reads the form gets what stands on the surface, typed a moment ago or not.
  #complete(data) {
    this.sync()
    data.set(this.#field.name, this.#field.value)
    const files = [...this.#form.querySelectorAll("input[name='upload']")].filter((field) => field.type === "hidden" || field.checked)
    data.delete("upload")
    for (const { value } of files) data.append("upload", value)
  }

  get #bytesInText() {
    return this.#pictures.inText.reduce((sum, { size }) => sum + (size ?? 0), 0)
  }

  // Too much for one mail, and words that stand for nothing, are said before one presses Send.
  #say(obstacle) {
    const status = this.#host.querySelector("[data-status]")
    const text = obstacle || this.#uploads.tooMuch(this.#bytesInText) || this.#placeholders.problem
    if (status.textContent !== text) status.textContent = text
  }

  // The server has the text. Mostly a fresh composer has taken our place already.
  #saved(event) {
    const key = this.#host.dataset.key
    if (!event.detail.items.some((item) => item.key === key)) return
    this.sync()
    if (this.#field.value !== submitted.get(key)) return

    this.#squire.setHTML("")
    this.#uploads.clear()
    this.#changed()
    this.sync()
  }
}
