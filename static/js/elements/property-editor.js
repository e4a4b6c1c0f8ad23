// <property-editor><button popovertarget="property-refund">…</button><form id="property-refund" popover>…: the form takes the
// focus when it opens, and closes when what it sent was taken. Open, it stays as it is but for its own answer; what else
// came for it meanwhile stands in it the next time.
const EVENTS = ["htmx:after:request", "htmx:finally:request"]

class PropertyEditor extends HTMLElement {
  #isAnswered = false
  #newer

  connectedCallback() {
    this.addEventListener("toggle", this, true) // does not bubble
    for (const type of EVENTS) this.addEventListener(type, this)
  }

  disconnectedCallback() {
    this.removeEventListener("toggle", this, true)
    for (const type of EVENTS) this.removeEventListener(type, this)
  }

  handleEvent(event) {
    const form = this.querySelector("[popover]")
    if (event.type === "toggle") return event.newState === "open" ? this.#opened(form) : this.#closed(form)

    this.#isAnswered = event.type === "htmx:after:request"
    if (!this.#isAnswered) return
    this.#newer = undefined
    if (event.detail.ctx.response?.status < 400) form.hidePopover()
  }

  keeps(newer) {
    if (!this.#isAnswered) this.#newer = newer
    return !this.#isAnswered
  }

  #opened(form) {
    form.querySelector("input:not([type=hidden]), select, textarea")?.focus()
  }

  #closed(form) {
    if (!this.#newer) return
    form.replaceWith(this.#newer)
    htmx.process(this.#newer)
    this.#newer = undefined
  }
}
customElements.define("property-editor", PropertyEditor)

htmx.registerExtension("open-property", {
  htmx_before_morph_node: (old, { newNode }) => !(old.matches?.("property-editor > :popover-open") && old.parentElement.keeps(newNode)),
})
