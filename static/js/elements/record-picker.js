// <record-picker data-kind="contact" data-name="contact" data-url="/contacts/">: one or several contacts or companies.
// A combobox that finds by name or address (arrows, Enter, Escape), chips of which the first is the primary one, and a way
// to make somebody new in place. Each picked one is a hidden field. Says records:changed with what is picked.
import { announce } from "../announce.js";
import { csrfToken } from "../csrf.js";
import { Listbox } from "../listbox.js";
import { Suggestions } from "../suggestions.js";
import { Tokens, nameOf } from "../tokens.js";

const TYPES = ["input", "keydown", "focusin", "focusout", "click", "pointerdown"]

class RecordPicker extends HTMLElement {
  #sentBy // the form that it stands in
  #quiet = false // the focus comes back by itself: no list then
  #found = new Map() // option -> what the server said of it
  #walk = new Listbox({
    field: () => this.#box, list: () => this.#list, choose: (option) => this.#choose(option), close: () => this.#fold(),
    pending: { words: () => this.#typed, answer: () => this.#suggestions.pending },
  })
  #suggestions = new Suggestions({ url: () => this.#question, show: (results) => this.#answered(results) })
  #tokens = new Tokens({ host: this, field: () => this.#box, back: () => this.#return(), removed: (name) => this.#removed(name) })

  get #box() { return this.querySelector(".picker__find input") }
  get #list() { return this.querySelector("[data-list]") }
  get #form() { return this.querySelector("[data-new]") }
  get #words() { return this.querySelector("[data-words]").dataset }
  get #typed() { return this.#box.value.trim() }

  connectedCallback() {
    for (const type of TYPES) this.addEventListener(type, this)
    this.#sentBy = this.closest("form")
    this.#sentBy?.addEventListener("submit", this, true) // ahead of htmx
    this.#tell()
  }

  disconnectedCallback() {
    this.#suggestions.stop()
    for (const type of TYPES) this.removeEventListener(type, this)
    this.#sentBy?.removeEventListener("submit", this, true)
  }

  get records() {
    return this.#tokens.all.map((token) => ({
      id: Number(token.dataset.id),
      label: nameOf(token),
      address: token.dataset.address ?? "",
      mark: token.querySelector("[data-mark]").innerHTML,
    }))
  }

  set records(records) {
    for (const token of this.#tokens.all) token.remove()
    for (const record of records) this.#add(record)
    this.#tell()
  }

  handleEvent(event) {
    const inBox = event.target === this.#box
    if (event.type === "submit") this.#submitted(event)
    else if (event.type === "input" && inBox) this.#suggestions.ask()
    else if (event.type === "focusin" && inBox && !this.#quiet) this.#suggestions.ask(0)
    else if (event.type === "focusout" && inBox) this.#fold()
    else if (event.type === "keydown") this.#key(event, inBox)
    else if (this.#walk.takes(event)) return
    else if (event.type === "click") this.#clicked(event)
  }

  #key(event, inBox) {
    const inNew = event.target.closest("[data-new]")
    if (inNew && event.key === "Enter" && event.target.tagName === "INPUT") {
      event.preventDefault()
      this.#make()
    } else if (inNew && event.key === "Escape") {
      event.preventDefault()
      this.#closeNew()
    } else if (inBox ? this.#walk.takes(event) || this.#tokens.takes(event) : this.#tokens.takes(event)) {
      return
    } else if (inBox && !event.ctrlKey && !event.metaKey && ["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) {
      event.preventDefault() // Enter never sends the form by accident
      if (event.key !== "Enter" && !this.#walk.isOpen) this.#suggestions.ask(0)
    }
  }

  #clicked({ target }) {
    const token = target.closest(".token")
    const known = target.closest("[data-known]")
    if (target.closest(".token__remove")) this.#tokens.remove(token)
    else if (target.closest("[data-primary]")) this.#promote(token)
    else if (target.closest("[data-make]")) this.#make()
    else if (target.closest("[data-cancel]")) this.#closeNew()
    else if (known) this.#take(JSON.parse(known.dataset.record))
  }

  // Finding

  get #question() { return `${this.dataset.url}?q=${encodeURIComponent(this.#typed)}` }

  #answered(results) {
    if (document.activeElement !== this.#box) return
    const picked = new Set(this.records.map(({ id }) => id))
    const nothing = this.#typed ? this.#words.none : ""
    this.#show((results ?? []).filter(({ id }) => !picked.has(id)), results ? nothing : this.#words.failed)
  }

  #show(found, nothing) {
    const rows = found.map((record) => this.#option(record))
    this.#found = new Map(rows.map((row, number) => [row, found[number]]))
    const make = this.#option({ label: this.#words.create, detail: this.#typed, mark: "+" })
    if (found.length === 0 && nothing) {
      rows.push(Object.assign(document.createElement("p"), { className: "picker__none", textContent: nothing }))
    }
    this.#list.hidden = false
    this.#walk.fill([...rows, make], found.length || this.#typed ? (found.length ? rows[0] : make) : undefined)
    this.#walk.opened()
    announce(found.length ? this.#words.found.replace("%s", found.length) : nothing)
  }

  #option({ label, detail, mark }) {
    const row = this.querySelector("template[data-option]").content.firstElementChild.cloneNode(true)
    row.querySelector(".picker__mark").innerHTML = mark
    row.querySelector("[data-label]").textContent = label
    row.querySelector("[data-detail]").textContent = detail
    return row
  }

  #fold() {
    this.#suggestions.stop()
    this.#list.hidden = true
    this.#walk.closed()
  }

  #return() {
    this.#quiet = true
    this.#box.focus()
    this.#quiet = false
  }

  #choose(option) {
    if (this.#found.has(option)) this.#take(this.#found.get(option))
    else this.#openNew()
  }

  #take(record) {
    if (!this.records.some(({ id }) => id === record.id)) this.#add(record)
    this.#box.value = ""
    this.#fold()
    this.#form.hidden = true
    this.#return()
    this.#tell()
    announce(this.#words.taken.replace("%(name)s", record.label))
  }

  // Chips

  #add({ id, label, address = "", mark = "" }) {
    const token = this.querySelector("template[data-chip]").content.firstElementChild.cloneNode(true)
    token.dataset.id = id
    token.dataset.address = address
    token.querySelector("input").value = id
    token.querySelector("[data-mark]").innerHTML = mark
    token.querySelector(".token__name").textContent = label
    const remove = token.querySelector(".token__remove")
    remove.setAttribute("aria-label", remove.dataset.say.replace("%s", label))
    this.querySelector("[data-chips]").append(token)
  }

  #removed(name) {
    this.#tell()
    announce(this.#words.gone.replace("%(name)s", name))
  }

  #promote(token) {
    this.querySelector("[data-chips]").prepend(token)
    this.#return()
    this.#tell()
  }

  #tell() {
    for (const [number, token] of this.#tokens.all.entries()) token.querySelector("[data-primary]").disabled = number === 0
    this.dispatchEvent(new CustomEvent("records:changed", { bubbles: true, detail: { kind: this.dataset.kind, records: this.records } }))
  }

  // Somebody new

  #openNew() {
    const words = this.#typed
    this.#fold()
    this.#box.value = ""
    this.#say("")
    const [name, other] = this.#newFields
    const isOther = this.dataset.kind === "contact" ? words.includes("@") : /^\S+\.\S+$/.test(words)
    name.value = isOther ? "" : words
    other.value = isOther ? words : ""
    this.#form.hidden = false
    ;(isOther || !words ? name : other).focus()
  }

  #closeNew() {
    this.#form.hidden = true
    this.#return()
  }

  // Somebody who is only typed would be lost with the form.
  #submitted(event) {
    const [name, other] = this.#newFields
    if (this.#form.hidden || !(name.value.trim() || other.value.trim())) return
    event.preventDefault()
    event.stopImmediatePropagation()
    this.#say(this.#words.unmade)
    other.focus()
  }

  get #newFields() {
    return [this.querySelector("[data-new-name]"), this.querySelector("[data-new-other]")]
  }

  async #make() {
    const [name, other] = this.#newFields
    const body = new FormData()
    body.append("name", name.value)
    body.append(this.dataset.kind === "contact" ? "address" : "domain", other.value)
    let said
    try {
      const answer = await fetch(this.dataset.url, { method: "POST", headers: { Accept: "application/json", "X-CSRFToken": csrfToken() }, body })
      said = await answer.json()
    } catch {
      said = { error: this.#words.failed }
    }
    if (!said.error) return this.#take(said)
    this.#say(said.error, said.known)
    other.focus()
  }

  #say(error, known) {
    const line = this.querySelector("[data-new-error]")
    line.textContent = error
    line.hidden = !error
    const take = this.querySelector("[data-known]")
    take.hidden = !known
    if (!known) return
    take.dataset.record = JSON.stringify(known)
    take.textContent = this.#words.take.replace("%s", known.label)
  }
}
customElements.define("record-picker", RecordPicker)
