// <scroll-end class="ws__thread" id="thread">: opens at its end, the newest message, and stays there while images and
// frames above find their height, until one scrolls. An address that names a message (#m12) wins.
class ScrollEnd extends HTMLElement {
  #sizes
  static #TOUCHES = ["wheel", "touchstart", "pointerdown", "keydown"]

  connectedCallback() {
    if (location.hash && this.querySelector(`#${CSS.escape(location.hash.slice(1))}`)) return

    for (const touch of ScrollEnd.#TOUCHES) this.addEventListener(touch, this, { passive: true })
    this.#sizes = new ResizeObserver(() => this.#toEnd())
    this.#sizes.observe(this)
    for (const child of this.children) this.#sizes.observe(child)
    this.#toEnd()
  }

  disconnectedCallback() {
    this.#letGo()
  }

  handleEvent() {
    this.#letGo()
  }

  #toEnd() {
    this.scrollTop = this.scrollHeight
  }

  #letGo() {
    this.#sizes?.disconnect()
    for (const touch of ScrollEnd.#TOUCHES) this.removeEventListener(touch, this)
  }
}
customElements.define("scroll-end", ScrollEnd)
