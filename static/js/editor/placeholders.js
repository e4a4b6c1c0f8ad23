// {{ contact.first_name|there }}: becomes what it stands for as soon as it is inserted or typed to its end. What stands
// for nothing stays, is marked, and is named before it goes. A text that is for many tickets (a snippet) keeps all of them as they are.
import { caretBefore, lettersBehind } from "./caret.js";

const WHOLE = /\{\{\s*([a-z_]+\.[a-z_]+)\s*(?:\|([^{}|]*))?\}\}/gi
const ANY = /\{\{[^{}\n]{0,200}\}\}/g
const FRESH = 60_000
const MARK = "unresolved"

// Of every editor in the page, for the one highlight that CSS knows.
const marked = new Map()

export class Placeholders {
  #host
  #squire
  #asked
  #found = []

  constructor(host, squire) {
    this.#host = host
    this.#squire = squire
    squire.getRoot().addEventListener("input", this)
    squire.getRoot().addEventListener("blur", this)
  }

  close() {
    this.#squire.getRoot().removeEventListener("input", this)
    this.#squire.getRoot().removeEventListener("blur", this)
    marked.delete(this)
    paint()
  }

  handleEvent(event) {
    if (!this.#resolves || event.isComposing) return
    if (event.type === "blur" || event.data === "}") this.#resolve()
  }

  // The list of names, for caret-menu.js.
  get source() {
    const { dataset } = this.#host.querySelector("[data-caret-menu]")
    return {
      trigger: "{{",
      label: dataset.placeholdersLabel,
      find: async (query) => (await this.#all()).filter(({ name, label }) => `${label} ${name}`.toLowerCase().includes(query.toLowerCase())).map((one) => this.#option(one)),
      choose: (option, at) => at.html(this.#html(option.dataset.name, option.dataset.value)),
    }
  }

  // Marks what stands for nothing.
  mark() {
    this.#found = []
    if (this.#resolves && this.#root.textContent.includes("{{")) {
      for (const { node, match } of this.#each(ANY)) {
        const range = document.createRange()
        range.setStart(node, match.index)
        range.setEnd(node, match.index + match[0].length)
        this.#found.push(range)
      }
    }
    if (this.#found.length) marked.set(this, this.#found)
    else if (!marked.delete(this)) return
    paint()
  }

  get problem() {
    const left = [...new Set(this.#found.map(String))].join(", ")
    return left ? this.#host.querySelector("[data-status]").dataset.unresolved.replace("{placeholder}", left) : ""
  }

  get #root() { return this.#squire.getRoot() }
  get #resolves() { return Boolean(this.#host.dataset.ticket) }

  async #all() {
    const { placeholdersUrl: address, ticket } = this.#host.dataset
    const mailbox = this.#host.closest("form")?.elements.mailbox?.value
    const query = new URLSearchParams({ ...(ticket ? { ticket } : {}), ...(mailbox ? { mailbox } : {}) })
    const key = `${query}`
    if (this.#asked?.key !== key || Date.now() - this.#asked.at > FRESH) {
      const answer = fetch(`${address}?${query}`, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(10_000) })
      this.#asked = { key, at: Date.now(), names: answer.then((one) => (one.ok ? one.json() : { placeholders: [] })) }
      this.#asked.names.catch(() => { this.#asked = undefined })
    }
    return (await this.#asked.names).placeholders
  }

  #option({ name, label, value }) {
    const option = this.#host.querySelector("template[data-placeholder-option]").content.firstElementChild.cloneNode(true)
    option.querySelector("[data-label]").textContent = label
    option.querySelector("[data-value]").textContent = this.#resolves ? value || option.dataset.unknown : `{{ ${name} }}`
    Object.assign(option.dataset, { name, value })
    return option
  }

  #html(name, value) {
    const holder = document.createElement("div")
    holder.append(this.#resolves && value ? filled(name, value) : `{{ ${name} }}`)
    return holder.innerHTML
  }

  // All that are whole: while the first is asked for, one may have typed the next.
  async #resolve() {
    if (!this.#root.textContent.includes("}}")) return
    const names = await this.#values()
    const known = ({ match }) => names.has(match[1].toLowerCase()) && Boolean(names.get(match[1].toLowerCase()) || match[2]?.trim())
    if (![...this.#each(WHOLE)].some(known)) return

    this.#squire.saveUndoState()
    const caret = this.#squire.getSelection().cloneRange()
    let behind = lettersBehind(caret, this.#root)
    // From the end, so that those before stay where they are.
    for (const { node, match } of [...this.#each(WHOLE)].filter(known).reverse()) {
      const name = match[1].toLowerCase()
      const span = filled(name, names.get(name) || match[2].trim())
      const isBehind = caret.comparePoint(node, match.index) > 0
      if (isBehind) behind += span.textContent.length - match[0].length
      const rest = node.splitText(match.index)
      rest.splitText(match[0].length)
      rest.replaceWith(span)
    }
    if (document.activeElement === this.#root) this.#squire.setSelection(caretBefore(behind, this.#root))
  }

  async #values() {
    try {
      return new Map((await this.#all()).map(({ name, value }) => [name, value]))
    } catch {
      return new Map() // the desk is away: what was typed stays, and is marked
    }
  }

  *#each(pattern) {
    const walker = document.createTreeWalker(this.#root, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
      for (const match of walker.currentNode.data.matchAll(pattern)) yield { node: walker.currentNode, match }
    }
  }
}

function filled(name, value) {
  const span = document.createElement("span")
  span.dataset.filled = name
  span.title = `{{ ${name} }}`
  span.textContent = value
  return span
}

function paint() {
  if (!CSS.highlights) return
  const ranges = [...marked.values()].flat()
  if (ranges.length) CSS.highlights.set(MARK, new Highlight(...ranges))
  else CSS.highlights.delete(MARK)
}
