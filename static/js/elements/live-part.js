// <live-part data-on="ticket" data-number="7" data-every="1000" hx-get="…" hx-trigger="pulse">: a part of the page that
// is fetched anew when something happened to it (live:ticket with its number, or with none), once in so many
// milliseconds. data-seconds: it asks by itself, too. In a hidden tab it waits until one looks again.
// data-calm="#list": what one points at or types in stays where it is; it is fetched when nothing was touched there for
// two seconds. Until then only the rows that changed are (data-rows: where), in their places.
import { isSignedOut, wasSignedOut } from "../live/signed-out.js";

const CALM = 2_000
const TOUCHES = ["pointermove", "pointerdown", "wheel", "keydown"]
const WENT_OUT_WITHIN = 400
const REQUEST = ["htmx:before:request", "htmx:before:response", "htmx:finally:request", "htmx:response:error"]

class LivePart extends HTMLElement {
  #calm
  #touchedAt = -CALM
  #beatAt = -Infinity
  #timer
  #clock
  #missed = false
  #isGoing = false
  #cameAt = -Infinity
  #rows = new Set()

  static observedAttributes = ["data-seconds"]

  connectedCallback() {
    document.addEventListener(`live:${this.dataset.on ?? "none"}`, this)
    document.addEventListener("visibilitychange", this)
    for (const type of REQUEST) this.addEventListener(type, this)
    this.#calm = this.dataset.calm && this.closest(this.dataset.calm)
    for (const touch of this.#calm ? TOUCHES : []) this.#calm.addEventListener(touch, this, { passive: true })
    this.#wind()
  }

  disconnectedCallback() {
    document.removeEventListener(`live:${this.dataset.on ?? "none"}`, this)
    document.removeEventListener("visibilitychange", this)
    for (const type of REQUEST) this.removeEventListener(type, this)
    for (const touch of this.#calm ? TOUCHES : []) this.#calm.removeEventListener(touch, this)
    clearTimeout(this.#timer)
    clearInterval(this.#clock)
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#wind()
  }

  handleEvent(event) {
    if (TOUCHES.includes(event.type)) this.#touchedAt = performance.now()
    else if (event.type === "visibilitychange") this.#missed && this.#want()
    else if (event.type === "htmx:before:request") this.#isGoing = true
    else if (event.type === "htmx:before:response") wasSignedOut(event)
    else if (event.type === "htmx:finally:request") this.#came()
    else if (event.type === "htmx:response:error") this.#refused(event)
    else this.#heard(event.detail)
  }

  #wind() {
    clearInterval(this.#clock)
    const seconds = Number(this.dataset.seconds)
    if (seconds) this.#clock = setInterval(() => this.#want(), seconds * 1_000)
  }

  #heard({ ticket }) {
    if (this.dataset.number && ticket && String(ticket) !== this.dataset.number) return
    if (ticket) this.#rows.add(ticket)
    this.#want()
  }

  #want() {
    this.#missed = document.hidden
    if (this.#missed || isSignedOut()) return

    const now = performance.now()
    const rested = Number(this.dataset.every ?? 0) - (now - this.#beatAt)
    const calmed = CALM - (now - this.#touchedAt)
    if (calmed > 0) this.#inPlace()
    this.#timer ??= setTimeout(() => this.#beat(), Math.max(0, rested, calmed))
  }

  #beat() {
    this.#timer = undefined
    if (document.hidden || CALM > performance.now() - this.#touchedAt || this.#isGoing) {
      this.#missed = document.hidden
      if (!this.#missed) this.#timer = setTimeout(() => this.#beat(), this.#isGoing ? 100 : CALM / 4)
      return
    }
    this.#beatAt = performance.now()
    this.#rows.clear()
    this.dispatchEvent(new CustomEvent("pulse"))
    // Another request of the same place went first, so ours was dropped.
    setTimeout(() => this.isConnected && !this.#isGoing && this.#cameAt < this.#beatAt && this.#want(), WENT_OUT_WITHIN)
  }

  #came() {
    this.#isGoing = false
    this.#cameAt = performance.now()
  }

  // The list stands still under the hand; its rows tell what is new all the same.
  #inPlace() {
    const shown = [...this.#rows].filter((number) => document.querySelector(`#t${number}`))
    this.#rows.clear()
    if (!shown.length || !this.dataset.rows) return
    const address = new URL(this.dataset.rows, location.href)
    address.searchParams.set("only", shown.join(","))
    htmx.ajax("GET", `${address.pathname}${address.search}`, { source: this, swap: "none" })
  }

  // What one may see no more: whoever shows it is told.
  #refused(event) {
    if (event.detail.ctx.response.status !== 404 || !this.dataset.number) return
    this.dispatchEvent(new CustomEvent("ticket:gone", { bubbles: true, detail: { number: this.dataset.number } }))
  }
}
customElements.define("live-part", LivePart)
