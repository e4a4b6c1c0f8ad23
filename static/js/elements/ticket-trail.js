// <ticket-trail data-start="/" data-tickets="/tickets/" hx-include="…">: back and forward in the workspace change the
// ticket beside the list and leave the list where it is; htmx by itself would load the whole page anew.
class TicketTrail extends HTMLElement {
  connectedCallback() {
    document.addEventListener("htmx:before:history:restore", this)
  }

  disconnectedCallback() {
    document.removeEventListener("htmx:before:history:restore", this)
  }

  handleEvent(event) {
    const { pathname } = new URL(event.detail.path, location.href)
    const { start, tickets } = this.dataset
    const isTicket = pathname.startsWith(tickets) && pathname !== tickets // the list alone is a page of another kind
    if (!(pathname === start || isTicket) || !document.querySelector("#ticket")) return

    event.preventDefault()
    htmx.ajax("GET", event.detail.path, { source: this, target: "#ticket", swap: "outerHTML" })
  }
}
customElements.define("ticket-trail", TicketTrail)
