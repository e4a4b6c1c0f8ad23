// <draft-saver data-mode data-ticket data-key data-url data-saved hx-get hx-trigger="draft:taken">: around the form of an
// editor. What is typed in it is saved when one stops typing; what befalls it is shown by the banner [data-when].
import { Draft } from "../editor/draft.js";
import { OF_THE_TEXT, apart, changesHead, isBody, isByHand, isEmpty, text } from "../editor/draft-fields.js";
import { begun, typedMeanwhile } from "../editor/plain.js";
import { HeldKeys } from "../held-keys.js";

const SETTLED = 800
const WAITS_FOR_SAVE = 2_000 // before Send goes ahead with what the form holds
const REPLACED_WITHIN = 500
const AWAITS = 50
const NEVER_SAVED = new Set(["csrfmiddlewaretoken", "draft_version", "shown", "opened"])
const TYPING = ["input", "change", "click", "keydown", "keyup", "drop", "paste", "editor:changed"]
// What a person does that asks the server for a part of the form; all else that comes into it comes by itself.
const ASKED = new Set(["click", "change", "submit"])
const TOLD = ["live:draft", "draft:saved", "visibilitychange", "htmx:before:request", "htmx:finally:request", "htmx:after:swap"]
// For the editor that takes this one's place, by data-key: { caret, body, isTaken }.
const left = new Map()
const sending = new Set()
const UNSENT_IMAGE = /<img\b[^>]*\bsrc="blob:[^>]*>/g

class DraftSaver extends HTMLElement {
  #draft
  #form
  #last = "" // what was saved or printed, as text
  #isTouched = false // by a person: what changes by itself is nobody's text
  #isWaiting = false // for the last save, to be sent
  #isSending = false
  #isOver = false // sent, or another text is taken: nothing of this form is saved any more
  #isUnsure = false // whether it was sent: nobody answered
  #sent // the text that is on its way as a message
  #hasTyped = false // while it was
  #head // fields apart from the text that were kept and that this form was not printed with
  #asked // the text that stood here when the server's was asked for
  #awaited = new Set() // requests of this page whose answers take the place of this editor
  #wasClean = true // before something was swapped in
  #timer

  connectedCallback() {
    this.#form = this.querySelector("form")
    this.#draft = Draft.of(this.dataset.key, this.dataset.url)
    for (const type of TYPING) this.addEventListener(type, this, true)
    for (const type of ["focusin", "focusout", "editor:ready"]) this.addEventListener(type, this)
    this.addEventListener("submit", this, true)
    this.#draft.addEventListener("change", this)
    for (const type of TOLD) document.addEventListener(type, this)
    document.addEventListener("htmx:before:swap", this, true)
    for (const type of ["pagehide", "pageshow", "online", "focus"]) addEventListener(type, this)
    this.#begin()
  }

  disconnectedCallback() {
    for (const type of TYPING) this.removeEventListener(type, this, true)
    for (const type of ["focusin", "focusout", "editor:ready"]) this.removeEventListener(type, this)
    this.removeEventListener("submit", this, true)
    this.#draft.removeEventListener("change", this)
    for (const type of TOLD) document.removeEventListener(type, this)
    document.removeEventListener("htmx:before:swap", this, true)
    for (const type of ["pagehide", "pageshow", "online", "focus"]) removeEventListener(type, this)
    this.#save()
  }

  handleEvent(event) {
    const answer = {
      focusin: () => this.#takeAsIs(),
      "editor:ready": () => this.#opened(),
      "htmx:before:request": () => this.#asks(event.detail.ctx),
      "htmx:finally:request": () => this.#awaited.delete(event.detail.ctx),
      "htmx:before:swap": () => this.#swaps(event),
      "htmx:after:swap": () => this.#swapped(event.detail.ctx),
      focusout: () => !this.contains(event.relatedTarget) && this.#save(),
      submit: () => this.#submit(event),
      pagehide: () => this.#leave(),
      pageshow: () => event.persisted && this.#askAgain(),
      visibilitychange: () => document.hidden ? this.#save() : this.#draft.retry(),
      online: () => this.#draft.retry(),
      focus: () => this.#draft.retry(),
      "live:draft": () => this.#heard(event.detail),
      "draft:saved": () => this.#arrived(event.detail.items),
    }[event.type]
    if (event.target === this.#draft) this.#show()
    else if (answer) answer()
    else this.#typed(event)
  }

  // For the line beside the tabs.
  get state() { return this.#draft.state || (this.dataset.saved ? "saved" : "") }
  get savedAt() { return this.#draft.told.saved || this.dataset.saved }

  #begin() {
    if (!this.#form) return
    this.#form.autocomplete = "off" // a browser that fills in what stood here before knows less than the draft
    this.#last = text(this.#fields({ asPrinted: true }))
    const before = left.get(this.dataset.key)
    const kept = before?.body || sending.has(this.dataset.key) ? undefined : this.#draft.takeUp()
    // Before the editor opens, so that it opens with it.
    if (before?.body) this.#put(before.body)
    if (kept) this.#bringBack(kept, before?.isTaken)
    else this.#draft.begin(Number(this.#form.elements.draft_version?.value ?? 0))
    const { text: plain } = this.#form.elements
    this.#isTouched = Boolean(kept || before?.body || (plain && typedMeanwhile(plain)))
    if (this.#isTouched) this.#soon()
    this.#show()
  }

  // What only this browser has: to the server, which knows whether something newer was written elsewhere. One goes on
  // writing meanwhile. Recipients and files that the form was not printed with are the server's to print, then.
  #bringBack(kept, isTaken) {
    const printed = apart(this.#fields())
    this.#put(kept.fields)
    const head = apart(kept.fields)
    if (!isTaken && text(head) !== text(printed)) this.#head = head
    this.#last = text(kept.fields)
    if (!this.#draft.isBusy) this.#draft.insist(kept.version, kept.fields, kept.onTheWay)
  }

  #put(fields) {
    const { html = "", text: plain = "", ...rest } = Object.fromEntries(fields)
    const { elements } = this.#form
    for (const name of OF_THE_TEXT) if (elements[name] && rest[name]) elements[name].value = rest[name]
    const typed = elements.text ? typedMeanwhile(elements.text) : ""
    if (elements.html) elements.html.value = html
    if (elements.text) elements.text.value = [html ? "" : plain, typed].filter(Boolean).join("\n\n")
  }

  #opened() {
    const editor = this.querySelector("rich-editor")
    const { caret } = left.get(this.dataset.key) ?? {}
    if (caret !== undefined) editor.caret = caret
    this.#takeAsIs()
  }

  // The editor has made the text its own, which is no change of it.
  #takeAsIs() {
    if (!this.#isTouched && !this.#draft.isBusy) this.#last = text(this.#fields())
  }

  #asks(ctx) {
    const target = typeof ctx.target === "string" ? document.querySelector(ctx.target) : ctx.target
    if (ctx.sourceElement !== this && (target?.contains(this) || this.contains(ctx.sourceElement))) this.#awaited.add(ctx)
  }

  // A mail came in, and with it whom one answers: as it is printed, unless somebody asked for it.
  #swapped({ sourceEvent }) {
    if (!this.isConnected) return
    if (ASKED.has(sourceEvent?.type)) {
      if (text(this.#fields()) !== this.#last) this.#isTouched = true
    } else if (this.#wasClean && !this.#draft.isBusy) this.#last = text(this.#fields())
    this.#soon()
  }

  // Whatever takes the place of this editor: the next one goes on where this one was left.
  #swaps(event) {
    const { ctx, tasks } = event.detail
    this.#wasClean = text(this.#fields()) === this.#last
    const goes = tasks.some(({ target }) => (typeof target === "string" ? document.querySelector(target) : target)?.contains(this))
    if (!goes) return
    const isOurs = ctx.sourceElement === this
    // One has begun to write since: the server says how that differs from what it has.
    if (isOurs && !this.#isOver && !this.#head && this.#asked !== text(this.#fields())) {
      event.preventDefault()
      return this.#askAgain()
    }
    const caret = this.querySelector("rich-editor")?.caret
    // What was typed while the rest was being sent is a text of its own.
    const body = this.#isSending && text(this.#body) !== text(this.#sent) && this.#hasTyped ? this.#body : undefined
    const { key } = this.dataset
    left.set(key, { caret, body, isTaken: isOurs })
    setTimeout(() => left.delete(key), REPLACED_WITHIN) // another ticket was opened
    if (isOurs && this.#head) this.#save()
  }

  #typed(event) {
    const decided = event.type === "click" && event.target.closest("[data-take], [data-keep]")
    if (decided) return this.#decide(decided.hasAttribute("data-take"))

    if (isByHand(event)) this.#isTouched = true
    if (event.isTrusted && event.type !== "click") this.#hasTyped = this.#isSending
    if (event.isTrusted && this.#head && changesHead(event)) this.#head = undefined
    this.#soon()
  }

  #soon() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#save(), SETTLED)
  }

  #save() {
    clearTimeout(this.#timer)
    if (this.#isOver || this.#isSending || !this.#form || !this.#isTouched) return

    const fields = this.#fields()
    const now = text(fields)
    if (now === this.#last) return
    if (this.#isNothing(fields)) return void (this.#last = now)

    if (this.#draft.version === 0 && !this.#draft.isBusy) this.#beginsNow()
    this.#last = now
    this.#draft.save(this.#fields())
  }

  // The server has nothing of it, and would keep nothing.
  #isNothing(fields) {
    return this.#draft.version === 0 && !this.#draft.isBusy && isEmpty(fields)
  }

  // A text that begins now has seen all that stands above it.
  #beginsNow() {
    const field = this.#form.elements.begun_after
    const seen = [...document.querySelectorAll("#messages .msg[id^='m']")].map(({ id }) => Number(id.slice(1)) || 0)
    if (field) field.value = Math.max(Number(field.value) || 0, ...seen)
  }

  #leave() {
    clearTimeout(this.#timer)
    if (this.#isOver || this.#isSending || !this.#form || !this.#isTouched) return

    const fields = this.#fields()
    if (this.#isNothing(fields)) return
    if (text(fields) !== this.#last || this.#draft.isBusy) this.#draft.flush(fields)
  }

  // Everything is saved before it is sent, so that what is sent is the newest there is. Keys pressed meanwhile are not for it.
  async #submit(event) {
    const { submitter } = event
    if (this.#isSending) return

    this.#save()
    if (!this.#draft.isBusy && !this.#draft.isStuck && !this.#head) return this.#sends()
    event.preventDefault()
    event.stopImmediatePropagation()
    if (this.#isWaiting) return
    this.#isWaiting = true
    const keys = new HeldKeys()
    try {
      await this.#draft.settled(WAITS_FOR_SAVE)
      await new Promise((resolve) => setTimeout(resolve)) // a form takes no submit while it is being submitted
      await this.#goesAhead(submitter)
    } finally {
      this.#isWaiting = false
      keys.release()
    }
    if (this.#draft.isStuck) this.#banner()?.querySelector("button").focus()
  }

  async #goesAhead(submitter) {
    if (this.#head || this.#draft.isStuck) return // whom it goes to is about to be shown
    this.#sends()
    const asked = new Promise((resolve) => this.#form.addEventListener("htmx:before:request", resolve, { once: true }))
    this.#form.requestSubmit(submitter?.isConnected ? submitter : undefined)
    await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, AWAITS))])
    await new Promise((resolve) => setTimeout(resolve))
  }

  // Until the answer is there: what is refused is typed on.
  #sends() {
    const { key } = this.dataset
    this.#isSending = true
    this.#sent = this.#body
    sending.add(key)
    const over = ({ detail: { ctx } }) => {
      this.#isSending = false
      sending.delete(key)
      this.#isUnsure = !(ctx.response?.status < 500)
      if (this.#isUnsure) this.#askAgain() // it may have arrived all the same
    }
    this.#form.addEventListener("htmx:finally:request", over, { once: true })
  }

  #arrived(items) {
    if (!items.some(({ key }) => key === this.dataset.key)) return
    clearTimeout(this.#timer)
    this.#isOver = this.#isSending // and not when this editor is the empty one that took its place
    this.#draft.forget()
  }

  // Another window of the same person saved this draft, sent it or threw it away.
  async #heard({ ticket, mode, version } = {}) {
    this.#draft.retry()
    if (String(ticket) !== this.dataset.ticket || mode !== this.dataset.mode) return
    await this.#draft.settled()
    await this.#answered()
    if (!this.isConnected || this.#isOver || version === this.#draft.version || version < this.#draft.version && version) return
    if (version === 0 && this.#draft.version === 0) return
    const fields = this.#fields()
    const isTyping = this.contains(document.activeElement) || this.#draft.isBusy || text(fields) !== this.#last
    if (!isTyping || (isEmpty(fields) && !this.#draft.isBusy)) this.#takeServers()
    else if (version || this.#isUnsure) this.#askAgain()
  }

  // What this page did itself, it is told of before it is answered.
  async #answered() {
    while (this.isConnected && this.#awaited.size) await new Promise((resolve) => setTimeout(resolve, AWAITS))
  }

  // The server says how what it has differs from what stands here.
  #askAgain() {
    this.#draft.save(this.#fields())
  }

  #decide(takes) {
    if (takes) {
      this.#isOver = this.inert = true
      clearTimeout(this.#timer)
      this.#draft.forget()
      this.addEventListener("htmx:finally:request", () => (this.#isOver = this.inert = false), { once: true })
      return this.#takeServers()
    }
    const { version = 0, form_key: key } = this.#draft.told
    if (key) this.#form.elements.form_key.value = key
    const fields = this.#fields()
    this.#last = text(fields)
    this.#draft.insist(version, fields)
    this.querySelector("form > rich-editor > :is(.editor, textarea:enabled)")?.focus()
  }

  // It was sent, and the answer was lost on the way. Whoever wrote on since is told so.
  #arrivedUnheard(key) {
    const fields = this.#fields()
    if (text(fields) !== this.#last) return void setTimeout(() => this.#draft.insist(this.#draft.version, fields))
    this.setAttribute("hx-vals", JSON.stringify({ sent: key }))
    this.#decide(true)
  }

  #takeServers() {
    this.#asked = text(this.#fields())
    this.dispatchEvent(new CustomEvent("draft:taken"))
  }

  get #body() { return this.#fields().filter(([name]) => isBody(name)) }

  #fields({ asPrinted = false } = {}) {
    if (!this.#form) return []
    const { html, text: plain } = this.#form.elements
    const data = new FormData(this.#form)
    if (asPrinted && plain && !plain.disabled) data.set("text", plain.defaultValue)
    if (html?.disabled && html.value) {
      // The editor that will take the place of the plain field is not here yet.
      data.delete("text")
      data.append("html", asPrinted ? html.value : begun(html, plain))
    }
    if (data.get("text") === "") data.delete("text")
    const fields = [...data].filter(([name, value]) => typeof value === "string" && !NEVER_SAVED.has(name))
    const clean = fields.map(([name, value]) => [name, name === "html" ? value.replace(UNSENT_IMAGE, "") : value])
    return this.#head ? [...this.#head, ...clean.filter(([name]) => isBody(name) || OF_THE_TEXT.includes(name))] : clean
  }

  #banner() {
    return this.querySelector(`:scope > [data-when="${this.#draft.state}"]`)
  }

  #show() {
    const shown = this.#banner()
    if (this.#draft.state === "signed-out") document.dispatchEvent(new CustomEvent("live:out"))
    for (const banner of this.querySelectorAll(":scope > [data-when]")) banner.hidden = banner !== shown
    const { said, differs, version, same, message, sent_key: sentKey } = this.#draft.told
    if (this.#draft.state === "sent" && same && this.isConnected) return this.#arrivedUnheard(sentKey)
    if (message) shown?.querySelector("[data-shows]")?.setAttribute("href", `#m${message}`)
    shown?.querySelector("[data-said]")?.replaceChildren(said ?? "")
    shown?.querySelector("[data-differs]")?.replaceChildren(differs ?? "")
    const field = this.#form?.elements.draft_version
    if (field && this.#draft.state === "saved") field.value = this.#draft.version
    if (this.#draft.state === "saved" && version === 0) this.dataset.saved = ""
    if (this.#draft.state === "saved" && this.#head && this.isConnected) this.#takeServers()
    const { drafts } = this.#draft.told
    if (drafts !== undefined) for (const count of document.querySelectorAll("[data-drafts]")) count.textContent = drafts
    this.dispatchEvent(new CustomEvent("draft:told", { bubbles: true }))
  }
}
customElements.define("draft-saver", DraftSaver)
