// <rich-editor data-key="…" data-upload-url="…"> around the pieces of _editor_field.html and _editor_toolbar.html.
// Without scripts it is its <textarea>. With them the editor is fetched when the first one appears in a page; until it
// is there, and when it cannot be fetched, one writes in the <textarea>.
//
// Others read it by its form: `new FormData(form)` is always what stands there now. "editor:changed" bubbles from it at
// every change. `openMenu` and `addMenu` are for keys and for menus of other parts (see caret-menu.js).
let Editing // once it was fetched: the next editor is there at once, and no key is pressed between two of them

class RichEditor extends HTMLElement {
  #editing
  #menus = []
  #isComposing = false // a letter of several keys, in the <textarea>

  async connectedCallback() {
    for (const type of ["compositionstart", "compositionend"]) this.addEventListener(type, this)
    if (Editing) return this.#open()

    try {
      ({ Editing } = await import("../editor/editing.js"))
    } catch {
      return this.#doWithout()
    }
    this.#open()
  }

  disconnectedCallback() {
    for (const type of ["compositionstart", "compositionend"]) this.removeEventListener(type, this)
    this.#editing?.close()
    this.#editing = undefined
  }

  handleEvent(event) {
    this.#isComposing = event.type === "compositionstart"
    if (!this.#isComposing && Editing && !this.#editing) setTimeout(() => this.#open())
  }

  // Writes what stands there into the form's fields now, not when one stops typing.
  sync() {
    this.#editing?.sync()
  }

  // Letters behind the caret, or undefined: where the editor that takes this one's place goes on.
  get caret() { return this.#editing?.caret }

  set caret(letters) {
    if (this.#editing) this.#editing.caret = letters
  }

  // "/" inserts, ";" finds a snippet.
  openMenu(trigger) {
    this.#editing?.openMenu(trigger)
  }

  addMenu(source) {
    this.#menus.push(source)
    this.#editing?.addMenu(source)
  }

  #open() {
    if (!this.isConnected || this.#editing || this.#isComposing) return

    this.#editing = new Editing(this)
    for (const source of this.#menus) this.#editing.addMenu(source)
    this.dispatchEvent(new CustomEvent("editor:ready", { bubbles: true }))
  }

  // What was kept with its looks is at least to be seen and sent.
  #doWithout() {
    const html = this.querySelector("input[data-html]")
    const plain = this.querySelector("textarea")
    if (!this.isConnected || !html.value) return

    const text = new DOMParser().parseFromString(html.value.replace(/<br>|<\/(p|div|li|h\d)>/gi, "$&\n"), "text/html").body.textContent
    plain.value = text.trimEnd() + (plain.value === plain.defaultValue ? "" : `\n\n${plain.value}`)
    html.value = ""
  }
}
customElements.define("rich-editor", RichEditor)
