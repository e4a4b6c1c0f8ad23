// <first-message data-nobody="…" data-to="To %s" data-unreachable="%s has no mail address…">: says to whom the first message of
// a new ticket goes, and why it cannot be written: there is no contact yet, or the contact has no address.
class FirstMessage extends HTMLElement {
  connectedCallback() {
    this.#panel.addEventListener("records:changed", this)
    const picker = this.#panel.querySelector?.("record-picker[data-kind='contact']")
    this.#say(picker?.records?.[0])
  }

  disconnectedCallback() {
    this.#panel.removeEventListener("records:changed", this)
  }

  handleEvent({ detail }) {
    if (detail.kind === "contact") this.#say(detail.records[0])
  }

  get #panel() { return this.closest("form") ?? document }

  #say(contact) {
    const text = this.querySelector("textarea")
    const reason = this.querySelector("[data-reason]")
    reason.textContent = contact
      ? (contact.address ? this.dataset.to : this.dataset.unreachable).replace("%s", contact.address || contact.label)
      : this.dataset.nobody
    // What was written stays, only nobody gets it: the server says so too.
    text.disabled = !contact?.address && !text.value
  }
}
customElements.define("first-message", FirstMessage)
