// <who-is-here id="presence" data-number="7" data-url="…" data-seconds="15" data-kept="…"> around a form with hx-post and
// hx-trigger="beat": says that one looks at a ticket, and that one writes, from a key in the editor until one sends,
// leaves it, or rests for eight seconds. Each answer shows who else is there. Whoever leaves says so; of a tab that dies
// the server forgets it by itself.
import { csrfToken } from "../csrf.js";
import { isSignedOut, wasSignedOut } from "../live/signed-out.js";

const REST = 8_000
const tab = Math.random().toString(36).slice(2, 12)

class WhoIsHere extends HTMLElement {
  #clock
  #resting
  #said // "viewing" | "typing" | "gone"
  #mode = "reply"

  get #form() { return this.querySelector("form") }

  connectedCallback() {
    for (const type of ["keydown", "paste", "focusout", "draft:saved", "visibilitychange", "live:presence"]) document.addEventListener(type, this, true)
    for (const type of ["pagehide", "pageshow"]) addEventListener(type, this)
    for (const type of ["click", "htmx:before:response", "htmx:response:error"]) this.addEventListener(type, this)
    this.#clock = setInterval(() => this.#say(this.#said ?? "viewing"), Number(this.dataset.seconds) * 1_000)
    // When htmx has seen the form.
    setTimeout(() => this.isConnected && this.#say("viewing"))
  }

  disconnectedCallback() {
    for (const type of ["keydown", "paste", "focusout", "draft:saved", "visibilitychange", "live:presence"]) document.removeEventListener(type, this, true)
    for (const type of ["pagehide", "pageshow"]) removeEventListener(type, this)
    for (const type of ["click", "htmx:before:response", "htmx:response:error"]) this.removeEventListener(type, this)
    clearInterval(this.#clock)
    clearTimeout(this.#resting)
    this.#leave()
  }

  handleEvent(event) {
    const answer = {
      keydown: () => this.#typed(event),
      paste: () => this.#typed(event),
      focusout: () => this.#left(event),
      "draft:saved": () => this.#rest(), // sent
      "live:presence": () => [undefined, this.dataset.number].includes(event.detail.ticket?.toString()) && this.#say(this.#said),
      visibilitychange: () => document.hidden ? this.#rest() : this.#say("viewing"),
      pagehide: () => this.#leave(),
      pageshow: () => event.persisted && this.#say("viewing"),
      click: () => event.target.closest("[data-step-back]") && this.#stepBack(),
      "htmx:before:response": () => wasSignedOut(event),
      "htmx:response:error": () => this.#refused(event),
    }[event.type]
    answer()
  }

  #typed(event) {
    const field = event.target.closest?.("#composer :is(.editor, textarea)")
    const isText = event.type === "paste" || event.key?.length === 1 || ["Enter", "Backspace", "Delete"].includes(event.key)
    if (!field || !isText || event.ctrlKey || event.metaKey) return

    const mode = field.closest(".composer")?.dataset.mode ?? "reply"
    clearTimeout(this.#resting)
    this.#resting = setTimeout(() => this.#rest(), REST)
    if (this.#said === "typing" && mode === this.#mode) return

    this.#mode = mode
    this.#said = "typing"
    setTimeout(() => this.isConnected && this.#said === "typing" && this.#say("typing")) // the letter shows first
  }

  // For elsewhere: who opens a menu of the editor, or names somebody, still writes.
  #left({ target, relatedTarget }) {
    if (target.closest?.("#composer") && !relatedTarget?.closest("#composer")) this.#rest()
  }

  #rest() {
    clearTimeout(this.#resting)
    if (this.#said === "typing") this.#say("viewing")
  }

  // The text is saved as a draft when the editor loses the focus.
  #stepBack() {
    const composer = document.querySelector("#composer")
    const wrote = composer?.querySelector(".editor:not([data-empty])")
    composer?.contains(document.activeElement) && document.activeElement.blur()
    composer?.querySelector("draft-saver form")?.dispatchEvent(new FocusEvent("focusout", { bubbles: true }))
    composer?.removeAttribute("data-composing")
    this.#rest()
    document.querySelector("#thread")?.focus({ preventScroll: true })
    const items = [{ text: this.dataset.kept, kind: "info" }]
    if (wrote) document.dispatchEvent(new CustomEvent("toast", { detail: { items } }))
  }

  #say(state) {
    if (!state || isSignedOut() || (document.hidden && state === "viewing" && this.#said === "viewing")) return // it fades
    this.#said = state
    this.#fill(state)
    this.#form.dispatchEvent(new CustomEvent("beat"))
  }

  #leave() {
    if (!this.#said || this.#said === "gone") return
    this.#said = "gone"
    this.#fill("gone")
    const body = new URLSearchParams(new FormData(this.#form))
    body.delete("csrfmiddlewaretoken")
    fetch(this.dataset.url, { method: "POST", body, headers: { "X-CSRFToken": csrfToken() }, keepalive: true }).catch(() => {})
  }

  #fill(state) {
    const { elements } = this.#form
    elements.state.value = state
    elements.mode.value = this.#mode
    elements.tab.value = tab
  }

  #refused(event) {
    if (event.detail.ctx.response.status !== 404) return
    this.dispatchEvent(new CustomEvent("ticket:gone", { bubbles: true, detail: { number: this.dataset.number } }))
  }
}
customElements.define("who-is-here", WhoIsHere)
