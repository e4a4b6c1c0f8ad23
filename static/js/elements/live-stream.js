// <live-stream class="live" data-url="/events/" data-user="7" data-broken="…" data-back="…" data-out="…" data-off="…">: what happens
// on the desk becomes an event on the document: live:ticket, live:notification, live:draft, live:presence, each with
// { ticket } or, when something may have been missed, with nothing, which means any.
// One stream for a browser, not for a tab: whoever holds the lock has it and passes everything on to the other tabs.
import { announce } from "../announce.js";
import { EventStream } from "../live/event-stream.js";

const KINDS = ["ticket", "notification", "draft", "presence"]
const SHOWN_AFTER = 5_000
const SILENCE = 45_000 // of the tab that has the stream, which passes the server's pings on
const POLL = 60_000
const FIRST_CATCH_UP = 1_500
const HIDDEN_FOR = 10_000
const WHY_WITHIN = 3_000

class LiveStream extends HTMLElement {
  #state = "" // "live" | "broken" | "none" (there are no streams here) | "out" (signed out)
  #stream
  #channel
  #letGo // of the lock
  #heardAt = Date.now()
  #timers = []
  #showing
  #hiding
  #isCaughtUp = false

  connectedCallback() {
    this.#channel = new BroadcastChannel(this.#name)
    this.#channel.addEventListener("message", this)
    this.#timers = [setInterval(() => this.#poll(), POLL), setInterval(() => this.#watch(), 5_000)]
    for (const type of ["visibilitychange", "live:out"]) document.addEventListener(type, this)
    for (const type of ["online", "focus", "pagehide", "pageshow"]) addEventListener(type, this)
    this.#set("broken")
    this.#join()
  }

  disconnectedCallback() {
    this.#leave()
    this.#channel.close()
    for (const timer of this.#timers) clearInterval(timer)
    for (const type of ["visibilitychange", "live:out"]) document.removeEventListener(type, this)
    for (const type of ["online", "focus", "pagehide", "pageshow"]) removeEventListener(type, this)
  }

  handleEvent(event) {
    if (event.type === "message") this.#passedOn(event.data)
    else if (event.type === "visibilitychange") this.#looked()
    else if (event.type === "live:out") this.#signedOut()
    else if (event.type === "online") this.#stream?.hurry()
    else if (event.type === "pagehide") this.#leave()
    else if (event.type === "focus") this.#askWhenOut()
    else if (event.persisted) this.#join()
  }

  get #name() { return `live:${this.dataset.user}` }

  // Without locks (a page that came without TLS) each tab that one looks at has a stream of its own.
  #join() {
    this.#letGo = new AbortController()
    if (!navigator.locks) return document.hidden || this.#listen()

    const { signal } = this.#letGo
    const hold = () => new Promise((letGo) => {
      signal.addEventListener("abort", letGo, { once: true })
      this.#listen()
    })
    navigator.locks.request(this.#name, { signal }, hold).catch(() => {})
    this.#channel.postMessage({ asks: true })
  }

  #leave() {
    this.#stream?.stop()
    this.#stream = undefined
    this.#letGo?.abort()
  }

  #listen() {
    this.#stream = new EventStream(this.dataset.url, (kind, detail) => {
      this.#channel.postMessage({ kind, detail, state: this.#take(kind, detail) })
    })
  }

  #passedOn({ asks, kind, detail, state }) {
    if (asks) return this.#stream && this.#channel.postMessage({ kind: "pinged", state: this.#state })
    if (this.#stream) return // two at once, while one takes over from the other

    this.#heardAt = Date.now()
    if (kind === "pinged") this.#set(state)
    else this.#take(kind, detail)
  }

  #take(kind, detail) {
    this.#heardAt = Date.now()
    if (KINDS.includes(kind)) this.#tell(kind, detail)
    else if (kind === "catch-up") this.#set("live") || this.#catchUp()
    else if (kind === "deaf" || kind === "broken") this.#set("broken")
    else if (kind === "none") this.#set("none")
    else if (kind === "out") this.#signedOut()
    return this.#state
  }

  #tell(kind, detail) {
    document.dispatchEvent(new CustomEvent(`live:${kind}`, { detail }))
  }

  // The page was printed a moment ago, so the first time need not compete with what it still loads.
  #catchUp() {
    if (this.#isCaughtUp) return this.#anything()
    this.#isCaughtUp = true
    setTimeout(() => this.#anything(), FIRST_CATCH_UP)
  }

  #anything() {
    for (const kind of KINDS) this.#tell(kind, {})
  }

  #set(state) {
    if (!state || state === this.#state) return false
    const wasShown = this.#state === "broken" && !this.hidden
    this.#state = state
    clearTimeout(this.#showing)
    if (state === "broken") this.#showing = setTimeout(() => this.#show(this.dataset.broken), SHOWN_AFTER)
    else if (state === "out") this.#sayWhy()
    else this.hidden = true
    if (state === "live" && wasShown) this.#say(this.dataset.back)
    if (state === "live") this.#catchUp()
    document.documentElement.dataset.live = state
    return true
  }

  #show(words) {
    this.querySelector("[data-text]").textContent = words
    this.querySelector("[data-when-out]").hidden = words !== this.dataset.out
    this.hidden = false
    this.#say(words)
  }

  #say(text) {
    announce(text)
  }

  // Whoever was switched off need not try to sign in.
  async #sayWhy() {
    const isOff = await wasSwitchedOff(this.dataset.url)
    if (this.#state === "out") this.#show(isOff ? this.dataset.off : this.dataset.out)
  }

  // The next tab asks for itself: somebody may have signed in there since.
  #signedOut() {
    this.#set("out")
    if (this.#stream) this.#leave()
  }

  // Somebody who comes back to this tab may have signed in in another one.
  #askWhenOut() {
    if (this.#state !== "out") return
    this.#leave()
    this.#join()
  }

  #poll() {
    if (!document.hidden && this.#state !== "out") this.#anything()
  }

  #watch() {
    if (!this.#stream && this.#state === "live" && Date.now() - this.#heardAt > SILENCE) this.#set("broken")
  }

  #looked() {
    clearTimeout(this.#hiding)
    if (!document.hidden) this.#stream?.hurry()
    if (!document.hidden) this.#askWhenOut()
    if (navigator.locks) return
    if (document.hidden) this.#hiding = setTimeout(() => this.#leave(), HIDDEN_FOR)
    else if (!this.#stream) this.#join()
  }
}

async function wasSwitchedOff(url) {
  const asking = new AbortController()
  const late = setTimeout(() => asking.abort(), WHY_WITHIN)
  try {
    const { headers } = await fetch(url, { cache: "no-store", signal: asking.signal })
    return headers.get("X-Signed-Out") === "switched off"
  } catch {
    return false
  } finally {
    clearTimeout(late)
    asking.abort() // a stream that is nobody's
  }
}
customElements.define("live-stream", LiveStream)
