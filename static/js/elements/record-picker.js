// <record-picker data-kind="contact" data-name="contact" data-url="/contacts/">: one or several contacts or companies.
// A combobox that finds by name or address (arrows, Enter, Escape), chips of which the first is the primary one, and a way
// to make somebody new in place. Each picked one is a hidden field. Says records:changed with what is picked.
import { csrfToken } from "../csrf.js";

const WAIT = 150

class RecordPicker extends HTMLElement {
  #timer
  #quiet = false // the focus comes back by itself: no list then
  #asked = 0 // an older answer does not overwrite a newer one
  #found = []
  #at = -1

  get #box() { return this.querySelector(".picker__find input") }
  get #list() { return this.querySelector("[data-list]") }
  get #form() { return this.querySelector("[data-new]") }
  get #words() { return this.querySelector("[data-words]").dataset }
  get #chips() { return [...this.querySelectorAll("[data-chips] .picker__chip")] }

  connectedCallback() {
    for (const type of ["input", "keydown", "focusin", "focusout", "click", "pointerdown"]) this.addEventListener(type, this)
    this.#tell()
  }

  disconnectedCallback() {
    clearTimeout(this.#timer)
    for (const type of ["input", "keydown", "focusin", "focusout", "click", "pointerdown"]) this.removeEventListener(type, this)
  }

  get records() {
    return this.#chips.map((chip) => ({
      id: Number(chip.dataset.id),
      label: chip.querySelector("[data-label]").textContent,
      address: chip.dataset.address ?? "",
      mark: chip.querySelector("[data-mark]").innerHTML,
    }))
  }

  set records(records) {
    for (const chip of this.#chips) chip.remove()
    for (const record of records) this.#add(record)
    this.#tell()
  }

  handleEvent(event) {
    const inBox = event.target === this.#box
    if (event.type === "input" && inBox) this.#ask(WAIT)
    else if (event.type === "focusin" && inBox && !this.#quiet) this.#ask(0)
    else if (event.type === "focusout" && inBox) this.#fold()
    else if (event.type === "keydown") this.#key(event, inBox)
    // The box keeps the focus while one presses in the list.
    else if (event.type === "pointerdown" && event.target.closest("[data-list]")) event.preventDefault()
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
    }
    if (!inBox || event.ctrlKey || event.metaKey) return

    const open = !this.#list.hidden
    const options = this.#options
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault()
      if (open) this.#point((this.#at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length)
      else this.#ask(0)
    } else if (event.key === "Enter") {
      event.preventDefault() // never sends the form by accident
      if (open && this.#at >= 0) this.#choose(this.#at)
    } else if (event.key === "Escape" && open) {
      event.preventDefault()
      this.#fold()
    } else if (event.key === "Backspace" && !this.#box.value) {
      this.#remove(this.#chips.at(-1))
    }
  }

  #clicked(event) {
    const chip = event.target.closest(".picker__chip")
    const option = event.target.closest("[role='option']")
    if (option) this.#choose(this.#options.indexOf(option))
    else if (event.target.closest("[data-remove]")) this.#remove(chip)
    else if (event.target.closest("[data-primary]")) this.#promote(chip)
    else if (event.target.closest("[data-make]")) this.#make()
    else if (event.target.closest("[data-cancel]")) this.#closeNew()
    else if (event.target.closest("[data-known]")) this.#take(JSON.parse(event.target.closest("[data-known]").dataset.record))
  }

  // Finding

  get #options() { return [...this.#list.querySelectorAll("[role='option']")] }

  #ask(wait) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#find(), wait)
  }

  async #find() {
    const asked = ++this.#asked
    const words = this.#box.value.trim()
    let found
    try {
      const answer = await fetch(`${this.dataset.url}?q=${encodeURIComponent(words)}`, { headers: { Accept: "application/json" } })
      found = (await answer.json()).results
    } catch {
      if (asked === this.#asked) this.#show([], this.#words.failed)
      return
    }
    if (asked !== this.#asked || document.activeElement !== this.#box) return
    const picked = new Set(this.records.map(({ id }) => id))
    this.#show(found.filter(({ id }) => !picked.has(id)), words ? this.#words.none : "")
  }

  #show(found, nothing) {
    this.#found = found
    const template = this.querySelector("template[data-option]")
    const rows = found.map((record) => {
      const row = template.content.firstElementChild.cloneNode(true)
      row.querySelector(".picker__mark").innerHTML = record.mark
      row.querySelector("[data-label]").textContent = record.label
      row.querySelector("[data-detail]").textContent = record.detail
      return row
    })
    if (found.length === 0 && nothing) {
      const line = document.createElement("p")
      line.className = "picker__none"
      line.textContent = nothing
      rows.push(line)
    }
    const make = template.content.firstElementChild.cloneNode(true)
    const words = this.#box.value.trim()
    make.querySelector(".picker__mark").textContent = "+"
    make.querySelector("[data-label]").textContent = this.#words.create
    make.querySelector("[data-detail]").textContent = words
    rows.push(make)
    for (const [number, row] of rows.entries()) row.id = `${this.#list.id}-${number}`
    this.#list.replaceChildren(...rows)
    this.#list.hidden = false
    this.#box.setAttribute("aria-expanded", "true")
    this.#point(found.length || words ? 0 : -1)
  }

  #point(at) {
    this.#at = at
    for (const [number, row] of this.#options.entries()) row.setAttribute("aria-selected", number === at)
    const row = this.#options[at]
    if (row) this.#box.setAttribute("aria-activedescendant", row.id)
    else this.#box.removeAttribute("aria-activedescendant")
    row?.scrollIntoView({ block: "nearest" })
  }

  #fold() {
    clearTimeout(this.#timer)
    this.#asked += 1
    this.#list.hidden = true
    this.#at = -1
    this.#box.setAttribute("aria-expanded", "false")
    this.#box.removeAttribute("aria-activedescendant")
  }

  #return() {
    this.#quiet = true
    this.#box.focus()
    this.#quiet = false
  }

  #choose(at) {
    if (at < this.#found.length) this.#take(this.#found[at])
    else this.#openNew()
  }

  #take(record) {
    if (!this.records.some(({ id }) => id === record.id)) this.#add(record)
    this.#box.value = ""
    this.#fold()
    this.#form.hidden = true
    this.#return()
    this.#tell()
  }

  // Chips

  #add({ id, label, address = "", mark = "" }) {
    const chip = this.querySelector("template[data-chip]").content.firstElementChild.cloneNode(true)
    chip.dataset.id = id
    chip.dataset.address = address
    chip.querySelector("input").value = id
    chip.querySelector("[data-label]").textContent = label
    chip.querySelector("[data-mark]").innerHTML = mark
    const remove = chip.querySelector("[data-remove]")
    remove.setAttribute("aria-label", remove.dataset.say.replace("%s", label))
    this.querySelector("[data-chips]").append(chip)
  }

  #remove(chip) {
    if (!chip) return
    chip.remove()
    this.#return()
    this.#tell()
  }

  #promote(chip) {
    this.querySelector("[data-chips]").prepend(chip)
    this.#return()
    this.#tell()
  }

  #tell() {
    for (const [number, chip] of this.#chips.entries()) chip.querySelector("[data-primary]").disabled = number === 0
    this.dispatchEvent(new CustomEvent("records:changed", { bubbles: true, detail: { kind: this.dataset.kind, records: this.records } }))
  }

  // Somebody new

  #openNew() {
    const words = this.#box.value.trim()
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
