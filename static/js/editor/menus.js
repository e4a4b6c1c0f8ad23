// The lists that an editor opens: what can be inserted ("/"), snippets (";") and placeholders.
import { CaretMenu } from "./caret-menu.js";
import { Snippets } from "./snippets.js";

export class Menus {
  #host
  #menu
  #squire
  #editor

  // `editor`: { run(command), placeholders, html() }
  constructor(host, squire, editor) {
    this.#host = host
    this.#squire = squire
    this.#editor = editor
    this.#menu = new CaretMenu(host, squire)
    this.#menu.add(this.#inserting())
    if (host.dataset.snippetsUrl) this.#menu.add(new Snippets(host, { ...editor, selected: () => this.#selected() }))
  }

  close() {
    this.#menu.close()
  }

  add(source) {
    this.#menu.add(source)
  }

  open(trigger) {
    const button = this.#host.querySelector("[data-command='insert']")
    this.#menu.open(trigger, button?.checkVisibility() ? button : undefined)
  }

  #inserting() {
    const all = [...this.#host.querySelector("template[data-inserts]").content.children]
    return {
      trigger: "/",
      label: this.#host.querySelector("[data-caret-menu]").dataset.label,
      find: async (query) => {
        const words = query.toLowerCase()
        const found = all.filter((option) => this.#isThere(option) && (!words || matches(option, words)))
        return found.map((option) => option.cloneNode(true))
      },
      goesOn: (option) => ["snippets", "placeholders"].includes(option.dataset.insert),
      choose: (option, at) => this.#insert(option.dataset.insert, at),
    }
  }

  #isThere({ dataset: { insert } }) {
    if (insert === "snippets") return Boolean(this.#host.dataset.snippetsUrl)
    if (["attach", "picture"].includes(insert)) return Boolean(this.#host.dataset.uploadUrl)
    return true
  }

  #insert(what, at) {
    if (what === "snippets") return this.#menu.change(this.#menu.source(";"))
    if (what === "placeholders") return this.#menu.change(this.#editor.placeholders.source)
    at.clear()
    return this.#editor.run(what)
  }

  // As HTML, or "" when nothing is.
  #selected() {
    const range = this.#squire.getSelection()
    if (range.collapsed) return ""
    const holder = document.createElement("div")
    holder.append(range.cloneContents())
    return holder.innerHTML
  }
}

// Each word that was typed begins a word of the entry, in the reader's language or in English.
function matches(option, typed) {
  const words = `${option.textContent} ${option.dataset.words ?? ""}`.toLowerCase().split(/[\s;/]+/)
  return typed.split(/\s+/).every((part) => words.some((word) => word.startsWith(part)))
}
