// <count-down data-seconds="10" data-words="Sends in {n} s">: how many seconds are left, from when it is put into the page.
// data-takes-away: its toast goes with the last second.
class CountDown extends HTMLElement {
  #timer
  #ends = 0
  #toast

  static observedAttributes = ["data-seconds"]

  connectedCallback() {
    this.#toast = this.hasAttribute("data-takes-away") ? this.closest(".toast") : null
    this.#start()
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#start()
  }

  disconnectedCallback() {
    clearInterval(this.#timer)
  }

  #start() {
    clearInterval(this.#timer)
    this.#ends = Date.now() + Number(this.dataset.seconds) * 1_000
    this.#timer = setInterval(() => this.#show(), 250)
    this.#show()
  }

  #show() {
    const left = Math.max(0, (this.#ends - Date.now()) / 1_000)
    const n = Math.ceil(left)
    const said = (this.dataset.words ?? "{n}").replace("{n}", n)
    if (this.textContent !== said) this.textContent = said
    this.style.setProperty("--p", (left / Math.max(1, Number(this.dataset.seconds))).toFixed(3))
    if (left > 0) return

    clearInterval(this.#timer)
    this.#toast?.remove()
  }
}
customElements.define("count-down", CountDown)
