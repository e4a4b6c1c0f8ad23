// <page-pulse data-seconds="10" hx-get="…" hx-trigger="pulse">: a beat while one looks at the page, for what refreshes
// itself. A hidden tab does not beat, and beats once when it is shown again.
class PagePulse extends HTMLElement {
  #timer
  #missed = false

  connectedCallback() {
    document.addEventListener("visibilitychange", this)
    this.#timer = setInterval(() => this.#beat(), Number(this.dataset.seconds) * 1_000)
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this)
    clearInterval(this.#timer)
  }

  handleEvent() {
    if (this.#missed && !document.hidden) this.#beat()
  }

  #beat() {
    this.#missed = document.hidden
    if (!document.hidden) this.dispatchEvent(new CustomEvent("pulse"))
  }
}
customElements.define("page-pulse", PagePulse)
