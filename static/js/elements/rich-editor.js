// <rich-editor data-key="…" data-upload-url="…"> around the pieces of _editor_field.html and _editor_toolbar.html.
// Without scripts it is its <textarea>. With them the editor is fetched when the first one appears in a page; until it
// is there, and when it cannot be fetched, one writes in the <textarea>.
//
// Others read it by its form: `new FormData(form)` is always what stands there now. "editor:changed" bubbles from it at
// every change. `openMenu` and `addMenu` are for keys and for menus of other parts (see caret-menu.js).
class RichEditor extends HTMLElement {
  #editing
  #menus = []

  async connectedCallback() {
    const { Editing } = await import("../editor/editing.js")
    if (!this.isConnected || this.#editing) return

    this.#editing = new Editing(this)
    for (const source of this.#menus) this.#editing.addMenu(source)
    this.dispatchEvent(new CustomEvent("editor:ready", { bubbles: true }))
  }

  disconnectedCallback() {
    this.#editing?.close()
    this.#editing = undefined
  }

  // Writes what stands there into the form's fields now, not when one stops typing.
  sync() {
    this.#editing?.sync()
  }

  // "/" inserts, ";" finds a snippet.
  openMenu(trigger) {
    this.#editing?.openMenu(trigger)
  }

  addMenu(source) {
    this.#menus.push(source)
    this.#editing?.addMenu(source)
  }
}
customElements.define("rich-editor", RichEditor)
