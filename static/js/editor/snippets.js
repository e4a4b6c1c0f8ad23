// Texts that are written again and again: found by name or shortcut while one types ";…", shown before they are inserted.
export class Snippets {
  trigger = ";"
  keys = ["F2"]
  #host
  #editor
  #found = new Map() // option -> what the server said of it

  // `editor`: { html(), selected() }
  constructor(host, editor) {
    this.#host = host
    this.#editor = editor
    this.label = host.querySelector("[data-caret-menu]").dataset.snippetsLabel
  }

  async find(query, signal) {
    const { snippetsUrl: address, ticket } = this.#host.dataset
    const mailbox = this.#host.closest("form")?.elements.mailbox?.value
    const asked = new URLSearchParams({ q: query, ...(ticket ? { ticket } : {}), ...(mailbox ? { mailbox } : {}) })
    const answer = await fetch(`${address}?${asked}`, { headers: { Accept: "application/json" }, signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) })
    if (!answer.ok) return []
    const { snippets } = await answer.json()
    this.#found = new Map(snippets.map((one) => [this.#option(one), one]))
    const options = [...this.#found.keys()]
    return options.length || !query ? [...options, ...this.#further()] : []
  }

  show(option, aside) {
    const snippet = this.#found.get(option)
    if (!snippet) return
    const preview = this.#template("snippet-preview")
    preview.querySelector("[data-text]").textContent = snippet.text
    preview.querySelector("[data-edit]").hidden = !snippet.change
    preview.querySelector("[data-edit]").addEventListener("click", () => this.#edit(snippet))
    aside.append(preview)
  }

  key(_name, option) {
    const snippet = this.#found.get(option)
    if (snippet?.change) this.#edit(snippet)
  }

  choose(option, at) {
    const snippet = this.#found.get(option)
    if (snippet) at.html(snippet.html)
    else if (option.dataset.further === "new") {
      const selected = at.typed() ? "" : this.#editor.selected()
      at.clear()
      this.#dialog({ html: selected || this.#editor.html() })
    } else if (option.dataset.further === "all") {
      at.clear()
      window.open(this.#host.dataset.snippetsPage, "_blank", "noopener")
    }
  }

  #edit(snippet) {
    this.#dialog({ ...snippet, html: snippet.raw })
  }

  // Fetched when it is asked for, as few do.
  async #dialog(snippet) {
    let SnippetDialog
    try {
      ({ SnippetDialog } = await import("./snippet-dialog.js"))
    } catch {
      const { failed } = document.querySelector("template[data-snippet-dialog]").content.firstElementChild.dataset
      return void document.dispatchEvent(new CustomEvent("toast", { detail: { items: [{ text: failed, kind: "error" }] } }))
    }
    const editor = this.#host.querySelector(".editor")
    editor?.blur() // which closes the menu
    if (editor) new SnippetDialog(snippet, editor).open()
  }

  #option({ name, shortcut, text }) {
    const option = this.#template("snippet-option")
    option.querySelector("[data-label]").textContent = name
    option.querySelector("[data-words]").textContent = text.slice(0, 90)
    const key = option.querySelector("kbd")
    if (shortcut) key.textContent = `;${shortcut}`
    else key.remove()
    return option
  }

  #further() {
    const options = [...this.#host.querySelector("template[data-snippets-further]").content.children]
    return options.map((one) => one.cloneNode(true)).filter((one) => one.dataset.further !== "new" || this.#editor.html())
  }

  #template(name) {
    return this.#host.querySelector(`template[data-${name}]`).content.firstElementChild.cloneNode(true)
  }
}
