// <page-pulse data-seconds="10" hx-get="…" hx-trigger="pulse">: a beat while one looks at the page, for what refreshes
// itself. A hidden tab does not beat, and beats once when it is shown again.
class PagePulse extends HTMLElement {
  #timer
  #missed = false

  static observedAttributes = ["data-seconds"]

  connectedCallback() {
    document.addEventListener("visibilitychange", this)
    this.#start()
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#start()
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this)
    clearInterval(this.#timer)
  }

  handleEvent() {
    if (this.#missed && !document.hidden) this.#beat()
  }

  #start() {
    clearInterval(this.#timer)
    this.#timer = setInterval(() => this.#beat(), Number(this.dataset.seconds) * 1_000)
  }

  #beat() {
    this.#missed = document.hidden
    if (!document.hidden) this.dispatchEvent(new CustomEvent("pulse"))
  }
}
customElements.define("page-pulse", PagePulse)
