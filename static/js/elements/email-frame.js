// <email-frame><iframe class="email-frame" sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox" src="…/body/">
// Makes the frame as tall as the mail in it. Nothing runs inside; the height is measured from out here.
const TALLEST = 20_000
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

  #fit(page) {
    const frame = this.querySelector("iframe")
    if (!frame || this.#changes++ > MOST_CHANGES) return

    const content = Math.max(page.documentElement.getBoundingClientRect().height, page.body.scrollHeight)
    // A wide mail scrolls sideways, and its scroll bar needs a place of its own.
    const bar = page.documentElement.scrollWidth > frame.clientWidth ? 16 : 0
    frame.style.setProperty("--frame-block", `${Math.min(TALLEST, Math.ceil(content) + bar + 2)}px`)
  }
}
customElements.define("email-frame", EmailFrame)
