// <thread-news class="ws__news" data-one="1 new message" data-many="{n} new messages"><button hidden>: what came below
// while one reads further up. At the end of the conversation one sees it come; elsewhere the place stays and this tells.
const NEAR_END = 48

class ThreadNews extends HTMLElement {
  #known // the newest message that was seen
  #first // of those that were not
  #isAtEnd = true

  get #thread() { return document.querySelector("#thread") }
  get #messages() { return [...document.querySelectorAll("#messages .msg[id^='m']")] }
  get #button() { return this.querySelector("button") }

  connectedCallback() {
    this.#known = this.#newest()
    this.#thread?.addEventListener("scroll", this, { passive: true })
    this.addEventListener("click", this)
    document.addEventListener("htmx:before:swap", this)
    document.addEventListener("htmx:after:swap", this)
  }

  disconnectedCallback() {
    this.#thread?.removeEventListener("scroll", this)
    this.removeEventListener("click", this)
    document.removeEventListener("htmx:before:swap", this)
    document.removeEventListener("htmx:after:swap", this)
  }

  handleEvent(event) {
    if (event.type === "click") this.#go()
    else if (event.type === "scroll") this.#scrolled()
    else if (event.type === "htmx:before:swap") this.#isAtEnd = this.#endIsNear()
    else this.#swapped(event.detail.ctx)
  }

  #swapped({ sourceElement: source }) {
    // A mail that failed makes them longer, too.
    if (this.#isAtEnd && source?.id === "thread-live") this.#thread.scrollTop = this.#thread.scrollHeight
    const news = this.#messages.filter((message) => numberOf(message) > this.#known)
    if (!news.length) return
    if (this.#isAtEnd) {
      this.#thread.scrollTop = this.#thread.scrollHeight
      this.#known = this.#newest()
      return
    }
    this.#first = news[0].id
    const { one, many } = this.dataset
    this.#button.querySelector("[data-text]").textContent = news.length === 1 ? one : many.replace("{n}", news.length)
    this.#button.hidden = false
  }

  #scrolled() {
    if (!this.#endIsNear()) return
    this.#known = this.#newest()
    this.#button.hidden = true
  }

  #go() {
    const message = document.querySelector(`#${this.#first}`)
    this.#known = this.#newest()
    this.#button.hidden = true
    message?.scrollIntoView({ block: "start" })
    message?.focus({ preventScroll: true })
  }

  #endIsNear() {
    const { scrollTop, scrollHeight, clientHeight } = this.#thread ?? { scrollTop: 0, scrollHeight: 0, clientHeight: 0 }
    return scrollHeight - scrollTop - clientHeight < NEAR_END
  }

  #newest() {
    return Math.max(0, ...this.#messages.map(numberOf))
  }
}

function numberOf(message) {
  return Number(message.id.slice(1)) || 0
}
customElements.define("thread-news", ThreadNews)
