// <rich-editor data-key="…" data-upload-url="…"> around the pieces of _editor_field.html and _editor_toolbar.html.
// Without scripts it is its <textarea>. With them the editor is fetched when the first one appears in a page; until it
// is there, and when it cannot be fetched, one writes in the <textarea>.
class RichEditor extends HTMLElement {
  #editing

  async connectedCallback() {
    const { Editing } = await import("../editor/editing.js")
    if (this.isConnected && !this.#editing) this.#editing = new Editing(this)
  }

  disconnectedCallback() {
    this.#editing?.close()
    this.#editing = undefined
  }
}
customElements.define("rich-editor", RichEditor)
