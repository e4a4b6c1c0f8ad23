// <mention-menu data-url="/mentions/" data-ticket="7" data-label="…">: inside a <rich-editor>. @ at the beginning of a word
// offers people and teams; who is chosen stands in the text as <span data-mention="user-7">@Maija Laine</span>, which is
// where the server reads whom a comment names. A [data-mention-begin] in the editor opens the list without typing.
class MentionMenu extends HTMLElement {
  trigger = "@"
  #host
  #found = new Map() // option -> what the server said of it

  get label() { return this.dataset.label }

  async connectedCallback() {
    this.#host = this.closest("rich-editor")
    this.#host.addEventListener("click", this)
    this.#host.addEventListener("keydown", this, true)
    await customElements.whenDefined("rich-editor")
    this.#host?.addMenu(this)
  }

  disconnectedCallback() {
    this.#host.removeEventListener("click", this)
    this.#host.removeEventListener("keydown", this, true)
    this.#host = undefined
  }

  handleEvent(event) {
    if (event.type === "click" && event.target.closest("[data-mention-begin]")) this.#host.openMenu("@")
    else if (event.type === "keydown" && event.key === "Backspace") this.#erase(event)
  }

  async find(query, signal) {
    const asked = new URLSearchParams({ q: query, ticket: this.dataset.ticket })
    const answer = await fetch(`${this.dataset.url}?${asked}`, { headers: { Accept: "application/json" }, signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) })
    if (!answer.ok || answer.redirected) return []
    const { people, unseeing } = await answer.json()
    this.#found = new Map(people.map((one) => [this.#option(one, unseeing), one]))
    return [...this.#found.keys()]
  }

  choose(option, at) {
    const { key, name } = this.#found.get(option)
    const mention = document.createElement("span")
    mention.dataset.mention = key
    mention.textContent = `@${name}`
    at.html(`${mention.outerHTML}\u00a0`)
  }

  #option({ key, name, about, sees, hue }, unseeing) {
    const kind = key.startsWith("team-") ? "template[data-team]" : "template:not([data-team])"
    const option = this.querySelector(kind).content.firstElementChild.cloneNode(true)
    option.querySelector("[data-name]").textContent = name
    option.querySelector("[data-about]").textContent = sees ? about : unseeing
    const avatar = option.querySelector(".avatar")
    if (avatar) avatar.textContent = initials(name)
    avatar?.style.setProperty("--h", hue)
    return option
  }

  // A name goes as a whole: half of one would still tell the whole person.
  #erase(event) {
    const selection = getSelection()
    const { anchorNode: node, anchorOffset: offset } = selection
    if (!selection.isCollapsed || !node || !this.#host.contains(node)) return
    const around = node.nodeType === Node.TEXT_NODE ? node.parentElement : node
    const before = node.nodeType !== Node.TEXT_NODE ? node.childNodes[offset - 1] : offset === 0 ? node.previousSibling : null
    const mention = around.closest("[data-mention]") ?? (before?.matches?.("[data-mention]") ? before : null)
    if (!mention || !this.#host.contains(mention)) return

    event.preventDefault()
    event.stopImmediatePropagation()
    const range = document.createRange()
    range.selectNode(mention)
    selection.removeAllRanges()
    selection.addRange(range)
    document.execCommand("delete")
  }
}
customElements.define("mention-menu", MentionMenu)

function initials(name) {
  const words = name.trim().split(/\s+/u)
  return [...new Set([words[0], words.at(-1)])].map((word) => word[0]?.toUpperCase() ?? "").join("")
}
