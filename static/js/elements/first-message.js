// <first-message data-nobody="…" data-to="To %(to)s from %(from)s" data-unreachable="%s has no mail address…">: says to whom the
// first message of a new ticket goes and from which address, or why it cannot be written: there is no contact yet, or the
// contact has no address. Which address it is may depend on pipeline and team; the server chooses in the same way.
class FirstMessage extends HTMLElement {
  #form
  #contact

  connectedCallback() {
    this.#form = this.closest("form")
    for (const type of ["records:changed", "change"]) this.#form?.addEventListener(type, this)
    this.#contact = this.#form?.querySelector("record-picker[data-kind='contact']")?.records?.[0]
    this.#say()
  }

  disconnectedCallback() {
    for (const type of ["records:changed", "change"]) this.#form?.removeEventListener(type, this)
  }

  handleEvent({ type, detail }) {
    if (type === "records:changed" && detail.kind === "contact") this.#contact = detail.records[0]
    this.#say()
  }

  // As inbox.addressing.senders finds it for a ticket without a conversation.
  get #sender() {
    const { pipeline, team } = this.#form?.elements ?? {}
    const differs = (box) => 2 * (String(box.pipeline ?? "") !== pipeline?.value) + (String(box.team ?? "") !== (team?.value ?? ""))
    const boxes = JSON.parse(this.dataset.senders)
    return boxes.toSorted((one, other) => differs(one) - differs(other))[0]
  }

  #say() {
    const { nobody, to, noSender, unreachable } = this.dataset
    const contact = this.#contact
    const sender = this.#sender
    let said = nobody
    if (contact && !contact.address) said = unreachable.replace("%s", contact.label)
    else if (contact && !sender) said = noSender
    else if (contact) said = to.replace("%(to)s", contact.address).replace("%(from)s", sender.address)
    const line = this.querySelector("[data-reason]")
    if (line.textContent !== said) line.textContent = said
  }
}
customElements.define("first-message", FirstMessage)
