// <email-frame><iframe class="email-frame" sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox" src="…/body/">
// Makes the frame as tall as the mail in it, and a mail that is too wide for it smaller, as far as one can still read it.
// Nothing runs inside; all of it is measured from out here.
const TALLEST = 20_000
const SMALLEST = 0.6
const MOST_CHANGES = 60 // a mail whose height follows its frame's would grow for ever

class EmailFrame extends HTMLElement {
  #sizes
  #changes = 0

  connectedCallback() {
    this.addEventListener("load", this, true)
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
    const page = this.querySelector("iframe")?.contentDocument
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
    const frame = this.querySelector("iframe")
    if (!frame || this.#changes++ > MOST_CHANGES) return

    const zoom = this.#narrow(page, frame.clientWidth)
    const content = Math.max(page.documentElement.getBoundingClientRect().height, page.body.scrollHeight * zoom)
    // A mail that is still too wide scrolls sideways, and its scroll bar needs a place of its own.
    const bar = page.documentElement.scrollWidth > frame.clientWidth ? 16 : 0
    frame.style.setProperty("--frame-block", `${Math.min(TALLEST, Math.ceil(content) + bar + 2)}px`)
  }
}
customElements.define("email-frame", EmailFrame)
