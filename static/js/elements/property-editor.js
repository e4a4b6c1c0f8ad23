// <property-editor><button popovertarget><form popover>: it has the focus when open, closes when its own answer was taken, and
// keeps others until then.
const HEARD = ["toggle", "htmx:after:request", "htmx:finally:request"]

class PropertyEditor extends HTMLElement {
  #own
  #newer

  connectedCallback() {
    for (const type of HEARD) this.addEventListener(type, this, true)
  }

  disconnectedCallback() {
    for (const type of HEARD) this.removeEventListener(type, this, true)
  }

  handleEvent(event) {
    const form = this.querySelector("[popover]")
    if (event.type === "toggle") {
      if (event.newState === "open") form.querySelector("input:not([type=hidden]), select, textarea")?.focus()
      else if (this.#newer) {
        form.replaceWith(this.#newer)
        htmx.process(this.#newer)
        this.#newer = null
      }
    } else if ((this.#own = event.type === "htmx:after:request")) {
      this.#newer = null
      if (event.detail.ctx.response?.status < 400) form.hidePopover()
    }
  }

  takes(newer) {
    return this.#own || !(this.#newer = newer)
  }
}
customElements.define("property-editor", PropertyEditor)
htmx.registerExtension("property", {
  htmx_before_morph_node: (old, { newNode }) => !old.matches?.("property-editor > :popover-open") || old.parentElement.takes(newNode),
})
