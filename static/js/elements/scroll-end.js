// <scroll-end class="ws__thread" id="thread">: opens at its end, the newest message, or at the message that the address
// names (#m12), and stays there while images and frames find their height, until one scrolls. What is in view is shown
// when the frames in view have their height: nobody sees it jump. Unfolding earlier messages keeps one's place.
const PATIENCE = 800 // milliseconds that a slow frame is waited for
const TOUCHES = ["wheel", "touchstart", "pointerdown", "keydown"]

class ScrollEnd extends HTMLElement {
  #sizes
  #patience
  #states = this.attachInternals().states // not an attribute: htmx settles those a moment after a swap
  #place // the message that stays where it is, and where that is

  connectedCallback() {
    this.addEventListener("click", this)
    this.addEventListener("frame:fitted", this)
    document.addEventListener("htmx:after:swap", this)
    if (this.#isElsewhere()) return

    for (const touch of TOUCHES) this.addEventListener(touch, this, { passive: true })
    this.#sizes = new ResizeObserver(() => this.#toPlace())
    this.#sizes.observe(this)
    for (const child of this.children) this.#sizes.observe(child)
    // When all that came with this is there: frames whose height is known have it.
    queueMicrotask(() => this.isConnected && this.#settle())
  }

  disconnectedCallback() {
    this.removeEventListener("click", this)
    this.removeEventListener("frame:fitted", this)
    document.removeEventListener("htmx:after:swap", this)
    this.#letGo()
    this.#show()
  }

  handleEvent(event) {
    if (event.type === "click") this.#unfolds(event)
    else if (event.type === "frame:fitted") this.#fitted()
    else if (event.type === "htmx:after:swap") this.#keepPlace()
    else this.#letGo()
  }

  // The message that the address names, if it is here.
  get #named() {
    return /^#m\d+$/.test(location.hash) ? this.querySelector(location.hash) : null
  }

  // A message that is folded away is on the page that the server unfolds; an address tells it only what stands before "#".
  #isElsewhere() {
    const address = new URL(location.href)
    const number = /^#m(\d+)$/.exec(address.hash)?.[1]
    if (!number || this.#named || !this.querySelector(".gap") || address.searchParams.get("message") === number) return false

    address.searchParams.set("message", number)
    location.replace(address)
    return true
  }

  #settle() {
    this.#toPlace()
    if (this.#areFitted()) return

    this.#states.add("settling")
    this.#patience = setTimeout(() => this.#show(), PATIENCE)
  }

  #fitted() {
    if (this.#sizes) this.#toPlace()
    if (this.#states.has("settling") && this.#areFitted()) this.#show()
  }

  #show() {
    clearTimeout(this.#patience)
    this.#states.delete("settling")
  }

  #areFitted() {
    const { top, bottom } = this.getBoundingClientRect()
    return [...this.querySelectorAll("email-frame:not([data-fitted])")].every((frame) => {
      // A folded quote is fetched when it is unfolded; it has a place all the same, where it would stand.
      const place = frame.getBoundingClientRect()
      return !frame.checkVisibility() || place.height === 0 || place.bottom < top || place.top > bottom
    })
  }

  #toPlace() {
    const named = this.#named
    if (named) named.scrollIntoView({ block: "start" })
    else this.scrollTop = this.scrollHeight
  }

  // The message after the line that one unfolds stays where it is; what comes stands above it.
  #unfolds(event) {
    const gap = event.target.closest(".gap")
    const message = gap && event.target.closest("a") && this.querySelector(`#m${gap.id.slice("gap-".length)}`)
    if (!message) return

    this.#letGo()
    this.#place = { id: message.id, top: message.getBoundingClientRect().top }
  }

  #keepPlace() {
    const message = this.#place && this.querySelector(`#${this.#place.id}`)
    if (!message) return

    this.scrollTop += message.getBoundingClientRect().top - this.#place.top
    if (!this.contains(document.activeElement)) message.focus({ preventScroll: true })
    this.#place = null
  }

  #letGo() {
    this.#sizes?.disconnect()
    this.#sizes = null
    for (const touch of TOUCHES) this.removeEventListener(touch, this)
  }
}
customElements.define("scroll-end", ScrollEnd)
