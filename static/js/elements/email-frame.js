// <email-frame><iframe class="email-frame" sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox" src="…/body/">
// Makes the frame as tall as the mail in it, and a mail that is too wide for it smaller, as far as one can still read it.
// Nothing runs inside; all of it is measured from out here. A mail that was measured before in this tab gets its height at
// once, so that nothing moves when it arrives; of another one says frame:fitted when it has it.
const TALLEST = 20_000
const SMALLEST = 0.6
const MOST_CHANGES = 60 // a mail whose height follows its frame's would grow for ever
const MOST_KEPT = 500
const KEPT = "frame-heights"

const heights = new Map(readKept())

function readKept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "[]")
  } catch {
    return [] // whoever wrote that, it is not ours
  }
}

function keep(key, height) {
  if (heights.get(key) === height) return

  heights.delete(key)
  heights.set(key, height)
  if (heights.size > MOST_KEPT) heights.delete(heights.keys().next().value)
}

addEventListener("pagehide", () => {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify([...heights]))
  } catch {
    // A full store: heights are measured anew then.
  }
})

class EmailFrame extends HTMLElement {
  #sizes
  #changes = 0

  get #frame() { return this.querySelector("iframe") }
  get #key() { return `${this.#frame.getAttribute("src")} ${this.#frame.clientWidth}` }

  connectedCallback() {
    this.addEventListener("load", this, true)
    const height = this.#frame && heights.get(this.#key)
    if (height) this.#become(height)
    this.#watch()
  }

  disconnectedCallback() {
    this.removeEventListener("load", this, true)
    this.#sizes?.disconnect()
  }

  handleEvent() {
    this.#watch()
  }

  #watch() {
    const page = this.#frame?.contentDocument
    if (!page?.body || page.URL === "about:blank") return

    this.#changes = 0
    this.#sizes?.disconnect()
    this.#sizes = new ResizeObserver(() => this.#fit(page))
    this.#sizes.observe(page.documentElement)
    this.#sizes.observe(page.body)
    this.#fit(page)
  }

  #narrow(page, room) {
    const { style } = page.body
    style.zoom = ""
    const wide = page.documentElement.scrollWidth
    const zoom = room > 0 && wide > room ? Math.max(SMALLEST, Math.floor((100 * room) / wide) / 100) : 1
    if (zoom < 1) style.zoom = zoom
    return zoom
  }

  #fit(page) {
    const frame = this.#frame
    if (!frame || this.#changes++ > MOST_CHANGES) return

    const zoom = this.#narrow(page, frame.clientWidth)
    const content = Math.max(page.documentElement.getBoundingClientRect().height, page.body.scrollHeight * zoom)
    // A mail that is still too wide scrolls sideways, and its scroll bar needs a place of its own.
    const bar = page.documentElement.scrollWidth > frame.clientWidth ? 16 : 0
    const height = Math.min(TALLEST, Math.ceil(content) + bar + 2)
    keep(this.#key, height)
    this.#become(height)
  }

  #become(height) {
    this.#frame.style.setProperty("--frame-block", `${height}px`)
    this.toggleAttribute("data-fitted", true)
    this.dispatchEvent(new CustomEvent("frame:fitted", { bubbles: true }))
  }
}
customElements.define("email-frame", EmailFrame)
