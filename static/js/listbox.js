// A list that one walks with the arrow keys while the focus stays in a field: aria-activedescendant of the field says where
// one is. Enter or a press chooses, Escape closes; what that means is its owner's, who shows and hides the list as well.
//   new Listbox({ field: () => element, list: () => element, choose(option), close?(), marked?(option, scrolls), pending?, ends?, tab? })
// With `ends`, Home and End are the list's and not the field's; with `tab`, Tab chooses as Enter does. `pending` is
// { words(), answer() }: what stands in the field, and the promise of a list for it while that is asked for. What is marked is
// then of fewer words: a key chooses it when it is called so all the same, and else waits (see `again`).
const PAGE = 8

export class Listbox {
  #own

  constructor(own) {
    this.#own = own
  }

  get options() { return [...this.#own.list().querySelectorAll("[role='option']")].filter((option) => option.checkVisibility()) }
  get active() { return this.options.find((option) => option.ariaSelected === "true") }
  get isOpen() { return this.#own.list()?.checkVisibility() ?? false }

  // What is in the list and where one begins, if anywhere.
  fill(rows, begin) {
    const list = this.#own.list()
    for (const [number, row] of rows.entries()) row.id = `${list.id}-${number}`
    list.replaceChildren(...rows)
    this.mark(begin)
  }

  mark(option, { scrolls = true } = {}) {
    for (const each of this.#own.list().querySelectorAll("[role='option']")) each.ariaSelected = String(each === option)
    if (option) this.#own.field().setAttribute("aria-activedescendant", option.id)
    else this.#own.field().removeAttribute("aria-activedescendant")
    if (scrolls) option?.scrollIntoView({ block: "nearest" })
    this.#own.marked?.(option, scrolls)
  }

  // Once it shows, and once it is hidden.
  opened() {
    this.#own.field().setAttribute("aria-expanded", "true")
  }

  closed() {
    this.mark(undefined)
    this.#own.field().setAttribute("aria-expanded", "false")
  }

  // Whether a key or the pointer was for the list. It is done, then, and nobody else's.
  takes(event) {
    const took = event.type === "keydown" ? this.#key(event) : this.#press(event)
    if (!took) return false
    event.preventDefault()
    event.stopPropagation()
    return true
  }

  #key(event) {
    const { key } = event
    if (!this.isOpen || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false
    const { options, active } = this
    const [at, last] = [options.indexOf(active), options.length - 1]
    const to = {
      ArrowDown: at < last ? at + 1 : 0,
      ArrowUp: at > 0 ? at - 1 : last,
      PageDown: Math.min(at + PAGE, last),
      PageUp: Math.max(at - PAGE, 0),
      ...(this.#own.ends && { Home: 0, End: last }),
    }[key]
    if (to !== undefined) options[to] && this.mark(options[to])
    else if (!event.shiftKey && (key === "Enter" || (this.#own.tab && key === "Tab"))) return this.#decides(event, active)
    else if (key === "Escape" && this.#own.close) this.#own.close()
    else return false
    return true
  }

  #decides(event, active) {
    const answer = this.#own.pending?.answer()
    const waits = answer && (active ? !isCalled(active, this.#own.pending.words()) : event.key === "Enter")
    if (waits) again(event, answer)
    else if (active) this.#own.choose(active)
    return Boolean(waits || active)
  }

  #press({ type, target }) {
    const list = this.#own.list()
    if (!["pointerdown", "click"].includes(type) || !list?.contains(target)) return false
    // The field keeps the focus while one presses in the list.
    const option = target.closest("[role='option']")
    if (type === "click" && option) this.#own.choose(option)
    return true
  }
}

function isCalled(option, words) {
  const name = option.textContent.toLowerCase()
  return words.toLowerCase().split(/\s+/).every((word) => name.includes(word))
}

// The same key once more when there is an answer, unless it is to something else: what it meant is not what is in view.
export async function again(event, answer) {
  const { target } = event
  const same = new KeyboardEvent("keydown", event)
  event.preventDefault()
  event.stopPropagation()
  if ((await answer) && document.activeElement === target) target.dispatchEvent(same)
}
