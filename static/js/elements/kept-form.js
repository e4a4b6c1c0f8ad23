// <kept-form data-keep="new-ticket-7" data-fresh>: around a form that makes something. What is typed in it is kept in this
// tab until it has arrived, so that neither closing it nor signing in again loses anything.
class KeptForm extends HTMLElement {
  #ready = false // what stands in it at first is nothing that somebody typed

  connectedCallback() {
    for (const type of ["input", "change", "records:changed"]) this.addEventListener(type, this)
    // When the elements inside have wired themselves.
    queueMicrotask(() => {
      if (this.hasAttribute("data-fresh")) this.#restore()
      this.#ready = true
    })
  }

  disconnectedCallback() {
    for (const type of ["input", "change", "records:changed"]) this.removeEventListener(type, this)
  }

  handleEvent() {
    if (!this.#ready) return
    const fields = [...new FormData(this.#form)].filter(([name, value]) => kept(name) && typeof value === "string")
    const records = [...this.querySelectorAll("record-picker")].map((picker) => [picker.dataset.name, picker.records ?? []])
    sessionStorage.setItem(this.dataset.keep, JSON.stringify({ fields, records }))
  }

  get #form() { return this.querySelector("form") }

  #restore() {
    const was = this.dataset.keep && JSON.parse(sessionStorage.getItem(this.dataset.keep) ?? "null")
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

// It has arrived. The form that held it is gone by now, so it is told to the page.
document.addEventListener("ticket:created", ({ detail }) => sessionStorage.removeItem(detail.keep))
customElements.define("kept-form", KeptForm)
