// <record-offer data-id="7" data-label="Anna Virtanen" data-address="…"><template>avatar</template><a>For Anna Virtanen</a>: one
// click puts somebody on the form whom it is most likely about. It goes when somebody is picked, and comes back with nobody.
class RecordOffer extends HTMLElement {
  #form

  get #picker() { return this.#form?.querySelector("record-picker[data-kind='contact']") }

  connectedCallback() {
    this.#form = this.closest("form")
    this.addEventListener("click", this)
    this.#form?.addEventListener("records:changed", this)
    this.hidden = Boolean(this.#picker?.records?.length)
  }

  disconnectedCallback() {
    this.removeEventListener("click", this)
    this.#form?.removeEventListener("records:changed", this)
  }

  handleEvent(event) {
    if (event.type === "click") this.#take(event)
    else if (event.detail.kind === "contact") this.hidden = event.detail.records.length > 0
  }

  #take(event) {
    if (!event.target.closest("a")) return

    event.preventDefault()
    const { id, label, address } = this.dataset
    const picker = this.#picker
    picker.records = [{ id: Number(id), label, address, mark: this.querySelector("template").innerHTML }]
    picker.querySelector("[role='combobox']").focus()
  }
}
customElements.define("record-offer", RecordOffer)
