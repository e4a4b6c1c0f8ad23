// <property-editor><button popovertarget><form popover>: has the focus when open; only its own answer changes it until it closes.
const HEARD = ["toggle", "htmx:after:request", "htmx:finally:request"]

class PropertyEditor extends HTMLElement {
  #own
  #next

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
      else if (this.#next) {
        form.replaceWith(this.#next)
        htmx.process(this.#next)
        this.#next = null
      }
    } else if ((this.#own = event.type === "htmx:after:request")) {
      this.#next = null
      if (event.detail.ctx.response?.status < 400) form.hidePopover()
    }
  }

  takes(next) {
    return this.#own || !(this.#next = next)
  }
}
customElements.define("property-editor", PropertyEditor)
htmx.registerExtension("property", {
  htmx_before_morph_node: (old, { newNode }) => !old.matches?.("property-editor > :popover-open") || old.parentElement.takes(newNode),
})
