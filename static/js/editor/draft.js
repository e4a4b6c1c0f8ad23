// A copy of what is being written, kept by the browser tab under the editor's data-key until it has been sent.
const SETTLED = 300

export class Draft {
  #key
  #timer

  constructor(key) {
    this.#key = key ? `draft:${key}` : null
  }

  // { html, files, images } or null
  get kept() {
    try {
      return this.#key ? JSON.parse(sessionStorage.getItem(this.#key)) : null
    } catch {
      return null
    }
  }

  keepSoon(read) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.keep(read()), SETTLED)
  }

  keep(content) {
    clearTimeout(this.#timer)
    if (!this.#key) return
    try {
      if (content.html || content.files.length) sessionStorage.setItem(this.#key, JSON.stringify(content))
      else sessionStorage.removeItem(this.#key)
    } catch {
      // Full or forbidden: the text is still in the page.
    }
  }

  forget() {
    clearTimeout(this.#timer)
    if (this.#key) sessionStorage.removeItem(this.#key)
  }
}
