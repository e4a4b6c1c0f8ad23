// A list that opens at the caret while one types: "/", ";" or "@" at the beginning of a word, filtered by what follows.
// Focus stays in the text (aria-activedescendant). A source is
//   { trigger, label, find(query, signal) -> Promise<options>, choose(option, at), show?(option, aside), closed?(),
//     keys?, key?(name, option) }
// An option is an element with role="option"; `at` puts what was chosen in the place of what was typed:
// at.html(html), or at.clear() before a command. Escape keeps what was typed, and the list is gone when nothing matches.
import { Listbox, again } from "../listbox.js";

let count = 0

export class CaretMenu {
  #root
  #squire
  #menu
  #list
  #aside
  #status
  #walk = new Listbox({
    field: () => this.#root,
    list: () => this.#list,
    tab: true,
    choose: (option) => this.#choose(option),
    close: () => this.#escape(),
    marked: (option, scrolls) => this.#marked(option, scrolls),
    pending: { words: () => this.#query, answer: () => this.#pending },
  })
  #sources = new Map()
  #source
  #token // { node, start }: where the trigger stands; null for a menu that was opened by a button
  #opener // that button
  #given // { node, start } that Escape or a choice has closed
  #asked
  #pending // while a list is being asked for: whether it was filled
  #query = ""
  #before = 0 // letters of what was typed that chose this list in another

  constructor(host, squire) {
    this.#squire = squire
    this.#root = squire.getRoot()
    this.#menu = host.querySelector("[data-caret-menu]")
    this.#list = this.#menu.querySelector("[role='listbox']")
    this.#aside = this.#menu.querySelector("[data-aside]")
    this.#status = this.#menu.parentElement.querySelector("[data-found]")
    this.#list.id = `caret-menu-${(count += 1)}`
    this.#root.addEventListener("input", this)
    this.#root.addEventListener("compositionend", this)
    this.#root.addEventListener("blur", this)
    host.addEventListener("keydown", this, true)
    this.#menu.addEventListener("pointerdown", this)
    this.#menu.addEventListener("pointermove", this)
    this.#menu.addEventListener("click", this)
    this.host = host
  }

  close() {
    this.#shut()
    this.#root.removeEventListener("input", this)
    this.#root.removeEventListener("compositionend", this)
    this.#root.removeEventListener("blur", this)
    this.host.removeEventListener("keydown", this, true)
    this.#menu.removeEventListener("pointerdown", this)
    this.#menu.removeEventListener("pointermove", this)
    this.#menu.removeEventListener("click", this)
  }

  add(source) {
    this.#sources.set(source.trigger, source)
  }

  source(trigger) {
    return this.#sources.get(trigger)
  }

  // By a button or a key: nothing was typed, and what is selected stays selected.
  open(trigger, opener) {
    this.#begin(this.#sources.get(trigger), null, opener)
    this.#find("")
  }

  // From one list to another in the same place.
  change(source) {
    const [token, opener, before] = [this.#token, this.#opener, this.#before + this.#query.length]
    this.#begin(source, token, opener)
    this.#before = token ? before : 0
    return this.#find("")
  }

  get isOpen() { return this.#menu.matches(":popover-open") }

  handleEvent(event) {
    if (event.type === "input" && !event.isComposing) this.#typed(event)
    else if (event.type === "compositionend") this.#typed(event)
    else if (event.type === "blur") this.#shut()
    else if (event.type === "keydown") this.#key(event)
    else if (event.type === "pointermove") this.#point(event.target.closest("[role='option']"))
    else if (!this.#walk.takes(event) && event.type === "pointerdown") event.preventDefault() // focus stays in the text
  }

  #typed(event) {
    const found = this.#tokenAtCaret()
    if (this.#source && !this.#token) this.#shut() // one has gone on writing
    if (!found) {
      this.#given = null
      return this.#shut()
    }
    if (same(found, this.#given)) return
    const goes = same(found, this.#token) && this.#source
    if (!goes && (found.query || !/^(insert|composition)/.test(event.inputType ?? event.type))) return

    if (!goes) this.#begin(found.source, found)
    this.#find(found.query.slice(this.#before))
  }

  // What stands before the caret, when it is a trigger at the beginning of a word and words after it.
  #tokenAtCaret() {
    const { anchorNode: node, anchorOffset: end, isCollapsed } = document.getSelection()
    if (!isCollapsed || node?.nodeType !== Node.TEXT_NODE || !this.#root.contains(node)) return null
    const text = node.data.slice(Math.max(0, end - 60), end)
    const at = Math.max(...[...this.#sources.keys()].map((trigger) => (trigger.length === 1 ? text.lastIndexOf(trigger) : -1)))
    if (at < 0) return null
    const query = text.slice(at + 1)
    if (/^[\s\u00a0]|[\s\u00a0]{2}|(\S+[\s\u00a0]){3}/.test(query)) return null
    const start = end - text.length + at
    if (!/^$|[\s\u00a0\u200b([{"“]/.test(node.data.slice(0, start).slice(-1)) || (start === 0 && !beginsWord(node))) return null
    if (node.parentElement.closest("pre, code, a")) return null
    return { node, start, query: query.replace(/[\u00a0\u200b]/g, " "), source: this.#sources.get(text[at]) }
  }

  #begin(source, token, opener = null) {
    this.#source?.closed?.()
    this.#source = source
    this.#token = token && { node: token.node, start: token.start }
    this.#opener = opener
    this.#before = 0
    this.#list.setAttribute("aria-label", source.label)
  }

  async #find(query) {
    this.#asked?.abort()
    this.#asked = new AbortController()
    this.#query = query
    const { signal } = this.#asked
    const pending = (this.#pending = this.#fill(query, signal))
    if (await pending) this.#pending = undefined
  }

  // Whether the list is the one of these words.
  async #fill(query, signal) {
    let options
    try {
      options = await this.#source.find(query, signal)
    } catch {
      options = [] // the desk is away, or the answer is not wanted any more
    }
    if (signal.aborted || !this.#source) return false
    if (!options.length) {
      this.#hide()
      return true
    }

    const words = this.#status.dataset
    this.#status.textContent = options.length === 1 ? words.one : words.many.replace("{count}", options.length)
    if (!this.isOpen) this.#menu.showPopover()
    this.#walk.fill(options, options.find((option) => option.role === "option"))
    this.#root.setAttribute("aria-controls", this.#list.id)
    this.#opener?.setAttribute("aria-expanded", "true")
    return true
  }

  // Above the caret where there is more room, as mostly: the editor stands at the foot of the page.
  #place() {
    const caret = this.#opener?.getBoundingClientRect() ?? this.#caret()
    const menu = this.#menu
    const gap = 6
    const left = Math.max(8, Math.min(caret.left, innerWidth - menu.offsetWidth - 8))
    const above = caret.top > innerHeight - caret.bottom
    menu.style.setProperty("--caret-x", `${left}px`)
    menu.style.setProperty("--caret-above", above ? `${innerHeight - caret.top + gap}px` : "auto")
    menu.style.setProperty("--caret-below", above ? "auto" : `${caret.bottom + gap}px`)
    menu.style.setProperty("--caret-room", `${Math.max(above ? caret.top : innerHeight - caret.bottom, 120) - 2 * gap}px`)
  }

  #caret() {
    const range = document.createRange()
    if (this.#token && this.#token.node.isConnected) {
      range.setStart(this.#token.node, this.#token.start)
      range.setEnd(this.#token.node, Math.min(this.#token.start + 1, this.#token.node.length))
    }
    const box = range.getClientRects()[0] ?? this.#squire.getCursorPosition()
    return box?.height ? box : this.#root.getBoundingClientRect()
  }

  #key(event) {
    // What `again` says to a list that is gone by now, no browser makes a new line of.
    if (!this.isOpen && !event.isTrusted && event.key === "Enter") return this.#squire.splitBlock(false)
    if (!this.isOpen || event.isComposing || event.target !== this.#root) return
    if (!this.#walk.takes(event) && !this.#sourceTakes(event)) return

    event.preventDefault()
    event.stopPropagation()
    event.stopImmediatePropagation()
  }

  #sourceTakes(event) {
    if (!this.#source.keys?.includes(event.key)) return false
    if (this.#pending) again(event, this.#pending)
    else this.#source.key(event.key, this.#walk.active)
    return true
  }

  #escape() {
    this.#given = this.#token
    this.#shut()
  }

  #point(option) {
    if (option && option !== this.#walk.active) this.#walk.mark(option, { scrolls: false })
  }

  #marked(option, scrolls) {
    this.#aside.replaceChildren()
    if (option) this.#source.show?.(option, this.#aside)
    this.#aside.hidden = !this.#aside.hasChildNodes()
    if (option && scrolls) this.#place()
  }

  #choose(option) {
    const source = this.#source
    const at = this.#inPlace()
    if (source.goesOn?.(option)) return source.choose(option, at)
    this.#given = this.#token
    this.#shut()
    source.choose(option, at)
  }

  #inPlace() {
    const token = this.#token
    const length = 1 + this.#before + this.#query.length
    const take = () => {
      this.#squire.focus()
      if (!token?.node.isConnected) return
      const range = document.createRange()
      range.setStart(token.node, token.start)
      range.setEnd(token.node, Math.min(token.start + length, token.node.length))
      this.#squire.setSelection(range)
    }
    return {
      html: (html) => {
        take()
        this.#squire.insertHTML(html)
        this.#squire.focus()
      },
      clear: () => {
        take()
        if (token) this.#squire.insertPlainText("")
      },
      typed: () => Boolean(token),
    }
  }

  // Nothing matches now; with another letter less something may.
  #hide() {
    if (this.isOpen) this.#menu.hidePopover()
    this.#forgetActive()
    if (!this.#token) this.#shut()
  }

  #shut() {
    if (!this.#source) return

    this.#asked?.abort()
    this.#pending = undefined
    const source = this.#source
    this.#source = this.#token = null
    if (this.isOpen) this.#menu.hidePopover()
    this.#forgetActive()
    this.#list.replaceChildren()
    source.closed?.()
  }

  #forgetActive() {
    this.#walk.mark(undefined)
    this.#root.removeAttribute("aria-controls")
    this.#opener?.setAttribute("aria-expanded", "false")
    this.#status.textContent = ""
  }
}

function same(one, other) {
  return Boolean(one && other) && one.node === other.node && one.start === other.start
}

// Whether a text node that begins a part of a line begins a word too.
function beginsWord(node) {
  for (let one = node; ; one = one.parentNode) {
    const before = one.previousSibling
    if (before) return before.nodeName === "BR" || /^$|[\s\u00a0\u200b([{"“]$/.test(before.textContent)
    if (/^(P|DIV|LI|TD|TH|BLOCKQUOTE|H[1-6])$/.test(one.parentNode.nodeName)) return true
  }
}
