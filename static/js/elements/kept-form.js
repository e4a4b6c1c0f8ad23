// <kept-form data-keep="new-ticket-7" data-fresh>: around a form that makes something. What is typed in it is kept in this
// tab until it has arrived, so that neither closing it nor signing in again loses anything.
import { focusFirstField } from "../first-field.js";

const SETTLED = 200
const TYPES = ["input", "change", "records:changed", "editor:changed"]

class KeptForm extends HTMLElement {
  #ready = false // what stands in it at first is nothing that somebody typed
  #timer

  connectedCallback() {
    for (const type of TYPES) this.addEventListener(type, this)
    addEventListener("pagehide", this)
    if (this.hasAttribute("data-fresh")) this.#restoreLooks()
    // When the elements inside have wired themselves.
    queueMicrotask(() => {
      if (this.hasAttribute("data-fresh")) this.#restore()
      this.#ready = true
      if (!this.closest("side-panel")) focusFirstField(this) // a panel does so itself
    })
  }

  disconnectedCallback() {
    for (const type of TYPES) this.removeEventListener(type, this)
    removeEventListener("pagehide", this)
    if (this.#timer) this.#keep()
  }

  // A text with looks is read when one stops typing, not at every letter.
  handleEvent({ type, target }) {
    if (!this.#ready || (type === "pagehide" && !this.#timer)) return
    this.settle()
    if (type === "editor:changed" || target.closest?.(".editor")) this.#timer = setTimeout(() => this.#keep(), SETTLED)
    else this.#keep()
  }

  // Nothing waits to be kept any more.
  settle() {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #keep() {
    this.settle()
    if (!this.#form) return
    const fields = [...new FormData(this.#form)].filter(([name, value]) => kept(name) && typeof value === "string")
    const records = [...this.querySelectorAll("record-picker")].map((picker) => [picker.dataset.name, picker.records ?? []])
    sessionStorage.setItem(this.dataset.keep, JSON.stringify({ fields, records }))
  }

  get #form() { return this.querySelector("form") }

  get #was() { return this.dataset.keep && JSON.parse(sessionStorage.getItem(this.dataset.keep) ?? "null") }

  // Before the editor opens, so that it opens with it.
  #restoreLooks() {
    for (const field of this.querySelectorAll("input[data-html]")) {
      field.value = this.#was?.fields.find(([name]) => name === field.name)?.[1] ?? field.value
    }
  }

  #restore() {
    const was = this.#was
    if (!was) return

    for (const [name, records] of was.records) {
      const picker = this.querySelector(`record-picker[data-name="${CSS.escape(name)}"]`)
      if (picker && records.length) picker.records = records
    }
    const values = Map.groupBy ? Map.groupBy(was.fields, ([name]) => name) : group(was.fields)
    for (const control of this.#form.elements) {
      if (!control.name || !kept(control.name) || control.type === "hidden" || control.tagName === "BUTTON") continue
      const given = (values.get(control.name) ?? []).map(([, value]) => value)
      if (control.type === "checkbox") control.checked = given.includes(control.value)
      else if (control.closest("record-picker")) control.value = given.filter((value) => !/^\d*$/.test(value)).at(-1) ?? ""
      else if (given.length) this.#give(control, given[0])
    }
  }

  #give(control, value) {
    if (control.tagName !== "SELECT") control.value = value
    else if ([...control.options].some((option) => option.value === value)) {
      const changes = control.value !== value
      control.value = value
      if (changes) control.dispatchEvent(new Event("change", { bubbles: true }))
    }
  }
}

function kept(name) {
  return !["csrfmiddlewaretoken", "form_key"].includes(name)
}

function group(fields) {
  const groups = new Map()
  for (const field of fields) groups.set(field[0], [...(groups.get(field[0]) ?? []), field])
  return groups
}

// Told to the page, because the form that held it may be gone by now.
document.addEventListener("ticket:created", ({ detail }) => {
  document.querySelector(`kept-form[data-keep="${detail.keep}"]`)?.settle()
  sessionStorage.removeItem(detail.keep)
})
customElements.define("kept-form", KeptForm)
