// <draft-saver data-mode data-ticket data-key data-url data-saved hx-get hx-trigger="draft:taken">: around the form of an
// editor. What is typed in it is saved when one stops typing; what befalls it is shown by the banner [data-when].
import { Draft } from "../editor/draft.js";

const SETTLED = 800
const WAITS_FOR_SAVE = 2_000 // before Send goes ahead with what the form holds
const NEVER_SAVED = new Set(["csrfmiddlewaretoken", "draft_version"])
const TYPING = ["input", "change", "click", "keyup", "drop", "paste", "editor:changed", "htmx:after:swap"]
const UNSENT_IMAGE = /<img\b[^>]*\bsrc="blob:[^>]*>/g

class DraftSaver extends HTMLElement {
  #draft
  #form
  #last = "" // what was saved or printed, as text
  #isTouched = false
  #isSending = false
  #isOver = false // sent, or another text is taken: nothing of this form is saved any more
  #timer

  connectedCallback() {
    this.#form = this.querySelector("form")
    this.#draft = Draft.of(this.dataset.key, this.dataset.url)
    for (const type of TYPING) this.addEventListener(type, this, true)
    for (const type of ["focusin", "focusout"]) this.addEventListener(type, this)
    this.addEventListener("submit", this, true)
    this.#draft.addEventListener("change", this)
    for (const type of ["live:draft", "draft:saved", "visibilitychange"]) document.addEventListener(type, this)
    for (const type of ["pagehide", "pageshow", "online", "focus"]) addEventListener(type, this)
    this.#begin()
  }

  disconnectedCallback() {
    for (const type of TYPING) this.removeEventListener(type, this, true)
    for (const type of ["focusin", "focusout"]) this.removeEventListener(type, this)
    this.removeEventListener("submit", this, true)
    this.#draft.removeEventListener("change", this)
    for (const type of ["live:draft", "draft:saved", "visibilitychange"]) document.removeEventListener(type, this)
    for (const type of ["pagehide", "pageshow", "online", "focus"]) removeEventListener(type, this)
    this.#save()
  }

  handleEvent(event) {
    const answer = {
      focusin: () => this.#touch(),
      focusout: () => !this.contains(event.relatedTarget) && this.#save(),
      submit: () => this.#submit(event),
      pagehide: () => this.#leave(),
      pageshow: () => event.persisted && this.#askAgain(),
      visibilitychange: () => document.hidden ? this.#save() : this.#draft.retry(),
      online: () => this.#draft.retry(),
      focus: () => this.#draft.retry(),
      "live:draft": () => this.#heard(event.detail),
      "draft:saved": () => this.#sent(event.detail.items),
    }[event.type]
    if (event.target === this.#draft) this.#show()
    else if (answer) answer()
    else this.#typed(event)
  }

  // For the line beside the tabs.
  get state() { return this.#draft.state || (this.dataset.saved ? "saved" : "") }
  get savedAt() { return this.#draft.told.saved || this.dataset.saved }

  async #begin() {
    if (!this.#form) return
    const printed = Number(this.#form.elements.draft_version?.value ?? 0)
    this.#last = text(this.#fields())
    const { kept } = this.#draft
    // Before the editor opens, so that it opens with it.
    if (kept) this.#put(kept.fields)
    if (this.#draft.isBusy) {
      // The editor that stood here before is still being saved.
      await this.#draft.settled(WAITS_FOR_SAVE)
      if (!this.isConnected || this.#isTouched) return
    }
    if (this.#draft.kept) return this.#bringBack(this.#draft.kept)
    if (kept && this.#draft.version !== printed) return this.#takeServers()
    this.#draft.begin(printed)
    this.#show()
  }

  // What only this browser has: to the server first, which knows whether something newer was written elsewhere.
  async #bringBack(kept) {
    this.inert = true
    this.#draft.insist(kept.version, kept.fields)
    await this.#draft.settled(WAITS_FOR_SAVE)
    this.inert = false
    if (!this.isConnected) return
    const isBodyOnly = text(withoutBody(kept.fields)) === text(withoutBody(this.#fields()))
    this.#last = text(kept.fields)
    if (this.#draft.state !== "saved") return
    this.#draft.forgetHere()
    if (!isBodyOnly) this.#takeServers()
  }

  // The text at least is to be seen, also where the server is out of reach.
  #put(fields) {
    const { html, text: plain } = Object.fromEntries(fields)
    const { elements } = this.#form
    if (html && elements.html) elements.html.value = html
    else if (plain && elements.text) elements.text.value = plain
  }

  #touch() {
    // The editor has made the text its own by now, which is no change of it.
    if (!this.#isTouched && !this.#draft.isBusy) this.#last = text(this.#fields())
    this.#isTouched = true
  }

  #typed(event) {
    const decided = event.type === "click" && event.target.closest("[data-take], [data-keep]")
    if (decided) return this.#decide(decided.hasAttribute("data-take"))

    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#save(), SETTLED)
  }

  #save() {
    clearTimeout(this.#timer)
    if (this.#isOver || this.#isSending || !this.#form) return

    const fields = this.#fields()
    const now = text(fields)
    if (now === this.#last) return

    if (this.#draft.version === 0 && !this.#draft.isBusy) this.#beginsNow()
    this.#last = now
    this.#draft.save(this.#fields())
  }

  // A text that begins now has seen all that stands above it.
  #beginsNow() {
    const field = this.#form.elements.begun_after
    const seen = [...document.querySelectorAll("#messages .msg[id^='m']")].map(({ id }) => Number(id.slice(1)) || 0)
    if (field) field.value = Math.max(Number(field.value) || 0, ...seen)
  }

  #leave() {
    clearTimeout(this.#timer)
    if (this.#isOver || this.#isSending || !this.#form) return

    const fields = this.#fields()
    if (text(fields) !== this.#last || this.#draft.isBusy) this.#draft.flush(fields)
  }

  // Everything is saved before it is sent, so that what is sent is the newest there is.
  async #submit(event) {
    const { submitter } = event
    if (this.#isSending) return

    this.#save()
    if (!this.#draft.isBusy && !this.#draft.isStuck) return this.#sends()
    event.preventDefault()
    event.stopImmediatePropagation()
    await this.#draft.settled(WAITS_FOR_SAVE)
    if (this.#draft.isStuck) return this.#banner()?.scrollIntoView({ block: "nearest" })
    this.#sends()
    this.#form.requestSubmit(submitter?.isConnected ? submitter : undefined)
  }

  // Until the answer is there: what is refused is typed on.
  #sends() {
    this.#isSending = true
    this.#form.addEventListener("htmx:finally:request", () => (this.#isSending = false), { once: true })
  }

  #sent(items) {
    if (!items.some(({ key }) => key === this.dataset.key)) return
    clearTimeout(this.#timer)
    this.#isOver = this.#isSending // and not when this editor is the empty one that took its place
    this.#draft.forget()
  }

  // Another window of the same person saved this draft, sent it or threw it away.
  async #heard({ ticket, mode, version } = {}) {
    if (String(ticket) !== this.dataset.ticket || mode !== this.dataset.mode) return
    await this.#draft.settled()
    if (!this.isConnected || this.#isOver || version === this.#draft.version || version < this.#draft.version && version) return
    if (version === 0 && this.#draft.version === 0) return
    const isTyping = this.contains(document.activeElement) || text(this.#fields()) !== this.#last
    if (!isTyping) this.#takeServers()
    else if (version) this.#askAgain()
  }

  // The server says how what it has differs from what stands here.
  #askAgain() {
    this.#draft.save(this.#fields())
  }

  #decide(takes) {
    if (takes) return this.#takeServers()
    const { version = 0, form_key: key } = this.#draft.told
    if (key) this.#form.elements.form_key.value = key
    const fields = this.#fields()
    this.#last = text(fields)
    this.#draft.insist(version, fields)
    this.querySelector("form > rich-editor > :is(.editor, textarea:enabled)")?.focus()
  }

  #takeServers() {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#draft.forget()
    this.addEventListener("htmx:finally:request", () => (this.#isOver = false), { once: true })
    this.dispatchEvent(new CustomEvent("draft:taken"))
  }

  #fields() {
    if (!this.#form) return []
    const { html, text: plain } = this.#form.elements
    const data = new FormData(this.#form)
    if (html?.disabled && html.value) {
      // The editor that will take the place of the plain field is not here yet.
      data.delete("text")
      data.append("html", html.value)
    }
    if (!plain?.value && data.get("text") === "") data.delete("text")
    const fields = [...data].filter(([name, value]) => typeof value === "string" && !NEVER_SAVED.has(name))
    return fields.map(([name, value]) => [name, name === "html" ? value.replace(UNSENT_IMAGE, "") : value])
  }

  #banner() {
    return this.querySelector(`:scope > [data-when="${this.#draft.state}"]`)
  }

  #show() {
    const shown = this.#banner()
    for (const banner of this.querySelectorAll(":scope > [data-when]")) banner.hidden = banner !== shown
    const { said, differs, version } = this.#draft.told
    shown?.querySelector("[data-said]")?.replaceChildren(said ?? "")
    shown?.querySelector("[data-differs]")?.replaceChildren(differs ?? "")
    const field = this.#form?.elements.draft_version
    if (field && this.#draft.state === "saved") field.value = this.#draft.version
    if (this.#draft.state === "saved" && version === 0) this.dataset.saved = ""
    const { drafts } = this.#draft.told
    if (drafts !== undefined) for (const count of document.querySelectorAll("[data-drafts]")) count.textContent = drafts
    this.dispatchEvent(new CustomEvent("draft:told", { bubbles: true }))
  }
}
customElements.define("draft-saver", DraftSaver)

function text(fields) {
  return JSON.stringify(fields.toSorted(([one], [other]) => one.localeCompare(other)))
}

function withoutBody(fields) {
  return fields.filter(([name]) => name !== "html" && name !== "text")
}
