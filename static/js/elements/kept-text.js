// <kept-text data-key="7-comment-12">: around the form of a text that the server keeps only when it is saved. What is typed
// stays in this browser until then, and stands in the form again when it is opened the next time; [data-back] says so.
// With the text goes the version that it changes, so that the server still sees when there is a newer one.
const SETTLED = 300

class KeptText extends HTMLElement {
  #timer
  #isTyped = false

  connectedCallback() {
    for (const type of ["input", "editor:changed", "htmx:after:request"]) this.addEventListener(type, this)
    addEventListener("pagehide", this)
    this.#bringBack()
    // Whoever opens it writes: letters are no commands from now on, also while the editor is still being fetched.
    const { text } = this.#form.elements
    text.focus({ preventScroll: true })
    text.setSelectionRange(text.value.length, text.value.length)
  }

  disconnectedCallback() {
    for (const type of ["input", "editor:changed", "htmx:after:request"]) this.removeEventListener(type, this)
    removeEventListener("pagehide", this)
    this.#keep()
  }

  handleEvent(event) {
    if (event.type === "pagehide") this.#keep()
    else if (event.type === "htmx:after:request") this.#answered(event.detail.ctx)
    else {
      if (event.isTrusted) this.#isTyped = true
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#keep(), SETTLED)
    }
  }

  get #name() { return `kept:${this.dataset.key}` }
  get #form() { return this.querySelector("form") }

  // Before the editor opens, so that it opens with it.
  #bringBack() {
    const kept = read(this.#name)
    const { elements } = this.#form
    if (!kept || (kept.html === elements.html.value && kept.text === elements.text.value)) return

    elements.html.value = kept.html
    elements.text.value = kept.text
    elements.version.value = kept.version
    this.querySelector("[data-back]").hidden = false
  }

  #keep() {
    clearTimeout(this.#timer)
    if (!this.#isTyped || !this.#form) return

    const data = new FormData(this.#form)
    const [html, text, version] = ["html", "text", "version"].map((name) => data.get(name) ?? "")
    try {
      localStorage.setItem(this.#name, JSON.stringify({ html, text, version }))
    } catch {
      // Full or forbidden: the text is still in the page.
    }
  }

  // It was saved, or whoever wrote it does not want it.
  #answered({ response }) {
    if (response.status >= 300) return
    this.#isTyped = false
    clearTimeout(this.#timer)
    localStorage.removeItem(this.#name)
  }
}
customElements.define("kept-text", KeptText)

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name))
  } catch {
    return undefined
  }
}
