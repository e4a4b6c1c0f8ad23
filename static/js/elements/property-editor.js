// <property-editor><button popovertarget="property-refund">…</button><form id="property-refund" popover>…: the form takes the
// focus when it opens, and closes when what it sent was taken.
class PropertyEditor extends HTMLElement {
  connectedCallback() {
    this.addEventListener("toggle", this, true) // does not bubble
    this.addEventListener("htmx:after:request", this)
  }

  disconnectedCallback() {
    this.removeEventListener("toggle", this, true)
    this.removeEventListener("htmx:after:request", this)
  }

  handleEvent(event) {
    const form = this.querySelector("[popover]")
    if (event.type === "toggle") {
      if (event.newState === "open") form.querySelector("input:not([type=hidden]), select, textarea")?.focus()
    } else if (event.detail.ctx.response?.status < 400) form.hidePopover()
  }
}
customElements.define("property-editor", PropertyEditor)
