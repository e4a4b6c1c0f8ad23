// <ticket-gone> with a <template>, in the pane of a ticket: when one may see the ticket no more, it is closed. What one
// was writing stays to be copied; nothing else of the ticket does.
import { announce } from "../announce.js";

class TicketGone extends HTMLElement {
  connectedCallback() {
    document.addEventListener("ticket:gone", this)
  }

  disconnectedCallback() {
    document.removeEventListener("ticket:gone", this)
  }

  handleEvent({ detail }) {
    const pane = this.closest("#ticket")
    if (pane?.dataset.number !== detail.number) return

    const composer = pane.querySelector("#composer")
    const wrote = [...pane.querySelectorAll("#composer :is(.editor, textarea:not([hidden]))")]
      .some((field) => (field.value ?? field.textContent).trim())
    const said = this.querySelector("template").content.cloneNode(true)
    const text = said.querySelector("[data-text]").textContent
    said.querySelector("[data-wrote]").hidden = !wrote
    for (const part of [...pane.children]) if (part !== this && !(wrote && part === composer) && part.id !== "open-ticket") part.remove()
    for (const button of composer?.querySelectorAll("[type='submit'], form button:not([type])") ?? []) button.disabled = true
    pane.removeAttribute("aria-labelledby")
    document.querySelector("#context")?.replaceChildren()
    this.before(said)
    htmx.process(pane)
    announce(text)
    this.remove()
  }
}
customElements.define("ticket-gone", TicketGone)
