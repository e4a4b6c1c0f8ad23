// <mention-menu data-url="/mentions/" data-ticket="7">: inside a <rich-editor>. @ at the beginning of a word offers people
// and teams by their first letters; Enter, Tab or a click puts the name in, as <span data-mention="user-7">@Maija</span>.
// The server reads whom a comment names from there, and lists whoever cannot see the ticket as such.
const TYPED = /(?:^|[\s(])@([^@\n]{0,40})$/u
const PAUSE = 120
const WORDS = 3 // of a name, then it is a sentence

class MentionMenu extends HTMLElement {
  #host
  #at // { node, start, end } of what was typed
  #timer
  #asked = 0
  #dismissed = ""

  get #box() { return this.querySelector("[role='listbox']") }
  get #options() { return [...this.#box.children] }
  get #active() { return this.#options.find((option) => option.ariaSelected === "true") }
  get #isOpen() { return this.#box.matches(":popover-open") }

  connectedCallback() {
    this.#host = this.closest("rich-editor")
    // Ahead of the editor, whose own keys (Enter, Tab) mean something else while the list is open.
    this.#host.addEventListener("keydown", this, true)
    this.#host.addEventListener("input", this)
    this.#host.addEventListener("focusout", this)
    this.#host.addEventListener("click", this)
    this.#box.addEventListener("pointerdown", this)
  }

  disconnectedCallback() {
    clearTimeout(this.#timer)
    this.#host.removeEventListener("keydown", this, true)
    this.#host.removeEventListener("input", this)
    this.#host.removeEventListener("focusout", this)
    this.#host.removeEventListener("click", this)
    this.#host = undefined
  }

  handleEvent(event) {
    if (event.type === "keydown") this.#key(event)
    else if (event.type === "input") this.#typed()
    else if (event.type === "focusout") this.#close()
    else if (event.type === "click") this.#clicked(event)
    else {
      event.preventDefault() // or the caret would leave the text
      const option = event.target.closest("[role='option']")
      if (option) this.#choose(option)
    }
  }

  // The button beside the others of the toolbar, for whoever does not know the key.
  #clicked(event) {
    if (!event.target.closest("[data-mention-begin]")) return

    const surface = this.#host.querySelector(".editor")
    surface?.focus()
    const selection = getSelection()
    const before = selection.anchorNode?.nodeType === Node.TEXT_NODE ? selection.anchorNode.data.slice(0, selection.anchorOffset) : ""
    document.execCommand("insertText", false, before && !/\s$/u.test(before) ? " @" : "@")
  }

  #typed() {
    this.#at = this.#find()
    clearTimeout(this.#timer)
    if (!this.#at || this.#at.words === this.#dismissed) this.#close()
    else this.#timer = setTimeout(() => this.#ask(this.#at), this.#isOpen || this.#at.words ? PAUSE : 0)
  }

  #find() {
    const selection = getSelection()
    const node = selection.anchorNode
    if (!selection.isCollapsed || node?.nodeType !== Node.TEXT_NODE || !this.#host.contains(node)) return
    if (node.parentElement.closest("[data-mention], pre, code")) return
    const typed = TYPED.exec(node.data.slice(0, selection.anchorOffset))
    if (!typed || typed[1].split(/\s/u).length > WORDS) return
    return { node, start: selection.anchorOffset - typed[1].length - 1, end: selection.anchorOffset, words: typed[1] }
  }

  async #ask({ words }) {
    const turn = ++this.#asked
    try {
      const address = `${this.dataset.url}?${new URLSearchParams({ q: words, ticket: this.dataset.ticket })}`
      const answer = await fetch(address, { headers: { Accept: "application/json" } })
      if (turn !== this.#asked || !this.#at) return
      if (answer.ok && !answer.redirected) this.#show(await answer.json())
      else this.#close()
    } catch {
      this.#close() // the name can be typed, it only tells nobody
    }
  }

  #show({ people, unseeing }) {
    if (people.length === 0 || !this.#at) return this.#close()

    this.#box.replaceChildren(...people.map((one, at) => this.#option(one, at, unseeing)))
    if (!this.#isOpen) this.#box.showPopover()
    this.#place()
    const surface = this.#host.querySelector(".editor")
    surface.setAttribute("aria-controls", this.#box.id)
    this.#mark(this.#options[0])
  }

  #option({ key, name, about, sees }, at, unseeing) {
    const kind = key.startsWith("team-") ? "template[data-team]" : "template:not([data-team])"
    const option = this.querySelector(kind).content.firstElementChild.cloneNode(true)
    option.id = `${this.#box.id}-${at}`
    option.dataset.key = key
    option.dataset.name = name
    option.querySelector("[data-name]").textContent = name
    option.querySelector("[data-about]").textContent = sees ? about : unseeing
    const avatar = option.querySelector(".avatar")
    if (avatar) avatar.textContent = name.split(/\s+/u).map((word) => word[0]).filter((_, place, all) => place === 0 || place === all.length - 1).join("").toUpperCase()
    return option
  }

  // Above the caret, as the editor stands at the foot of the page; below it where there is no room.
  #place() {
    const range = document.createRange()
    range.setStart(this.#at.node, this.#at.start)
    range.setEnd(this.#at.node, this.#at.end)
    const caret = range.getBoundingClientRect()
    const box = this.#box
    const above = caret.top - box.offsetHeight - 6
    box.style.setProperty("--inline", `${Math.max(8, Math.min(caret.left, innerWidth - box.offsetWidth - 8))}px`)
    box.style.setProperty("--block", `${above > 8 ? above : caret.bottom + 6}px`)
  }

  #key(event) {
    if (event.key === "Backspace" && !this.#isOpen) return this.#erase(event)
    if (!this.#isOpen || event.isComposing) return

    const options = this.#options
    const at = options.indexOf(this.#active)
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey
    if (event.key === "ArrowDown") this.#mark(options[(at + 1) % options.length])
    else if (event.key === "ArrowUp") this.#mark(options[(at - 1 + options.length) % options.length])
    else if ((event.key === "Enter" || event.key === "Tab") && plain) this.#choose(this.#active)
    else if (event.key === "Escape") {
      this.#dismissed = this.#at?.words ?? ""
      this.#close()
    } else return

    event.preventDefault()
    event.stopImmediatePropagation()
  }

  // A name goes as a whole: half of one would still tell the whole person.
  #erase(event) {
    const selection = getSelection()
    if (!selection.isCollapsed || !selection.anchorNode || !this.#host.contains(selection.anchorNode)) return
    const element = selection.anchorNode.nodeType === Node.TEXT_NODE ? selection.anchorNode.parentElement : selection.anchorNode
    const mention = element.closest?.("[data-mention]") ?? this.#mentionBefore(selection)
    if (!mention || !this.#host.contains(mention)) return

    event.preventDefault()
    event.stopImmediatePropagation()
    const range = document.createRange()
    range.selectNode(mention)
    selection.removeAllRanges()
    selection.addRange(range)
    document.execCommand("delete")
    this.#tell()
  }

  #mentionBefore({ anchorNode, anchorOffset }) {
    const before = anchorNode.nodeType === Node.TEXT_NODE ? (anchorOffset === 0 ? anchorNode.previousSibling : null) : anchorNode.childNodes[anchorOffset - 1]
    return before?.matches?.("[data-mention]") ? before : null
  }

  #choose(option) {
    const { node, start, end } = this.#at
    const mention = document.createElement("span")
    mention.dataset.mention = option.dataset.key
    mention.textContent = `@${option.dataset.name}`
    const range = document.createRange()
    range.setStart(node, start)
    range.setEnd(node, end)
    range.deleteContents()
    const after = document.createTextNode("\u00a0")
    range.insertNode(after)
    range.insertNode(mention)
    getSelection().collapse(after, 1)
    this.#close()
    this.#tell()
  }

  #tell() {
    this.#host.querySelector(".editor").dispatchEvent(new InputEvent("input", { bubbles: true }))
    this.#host.dispatchEvent(new CustomEvent("editor:changed", { bubbles: true }))
  }

  #mark(option) {
    for (const one of this.#options) one.ariaSelected = one === option
    option.scrollIntoView({ block: "nearest" })
    this.#host.querySelector(".editor").setAttribute("aria-activedescendant", option.id)
  }

  #close() {
    clearTimeout(this.#timer)
    this.#asked += 1
    if (!this.#isOpen) return

    this.#box.hidePopover()
    const surface = this.#host.querySelector(".editor")
    surface?.removeAttribute("aria-activedescendant")
    surface?.removeAttribute("aria-controls")
  }
}
customElements.define("mention-menu", MentionMenu)
