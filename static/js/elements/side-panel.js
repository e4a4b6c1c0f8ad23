// <side-panel data-keep="new-ticket-7" data-fresh>: what stands in a panel beside the conversation. It takes the focus and
// gives it back, closes on Escape, and keeps what was typed in this tab until it has arrived, so that closing loses nothing.

let opener = null // the control that opened the panel, over the swaps inside it

class SidePanel extends HTMLElement {
  #ready = false // what stands in it at first is nothing that somebody typed

  connectedCallback() {
    this.addEventListener("click", this)
    this.addEventListener("keydown", this)
    this.addEventListener("input", this)
    this.addEventListener("change", this)
    this.addEventListener("records:changed", this)
    const before = document.activeElement
    if (before && before !== document.body && !before.closest(".panel")) opener = before
    // When the elements inside have wired themselves.
    queueMicrotask(() => {
      if (this.hasAttribute("data-fresh")) this.#restore()
      this.#ready = true
      this.#focus()
    })
  }

  disconnectedCallback() {
    this.removeEventListener("click", this)
    this.removeEventListener("keydown", this)
    this.removeEventListener("input", this)
    this.removeEventListener("change", this)
    this.removeEventListener("records:changed", this)
  }

  handleEvent(event) {
    if (event.type === "click") this.#clicked(event)
    else if (event.type === "keydown") this.#key(event)
    else this.#keep()
  }

  close() {
    const back = opener?.isConnected ? opener : document.querySelector("#list")
    this.closest("#panel").replaceChildren()
    back?.focus({ preventScroll: true })
    opener = null
  }

  #clicked(event) {
    if (!event.target.closest("[data-close]") || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    this.close()
  }

  #key(event) {
    if (event.defaultPrevented) return
    if (event.key === "Escape" && !document.querySelector(":popover-open, dialog:modal")) {
      event.preventDefault()
      this.close()
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      const submit = this.querySelector("[data-submit]")
      submit?.form.requestSubmit(submit)
    }
  }

  #focus() {
    const invalid = this.querySelector("[aria-invalid='true']")
    const asked = this.querySelector("[autofocus]")
    const first = this.querySelector(".panel__body :is(input:not([type=hidden]), select, textarea, button)")
    ;(invalid ?? asked ?? first)?.focus()
  }

  // What was typed

  get #form() { return this.querySelector("form") }

  #keep() {
    if (!this.dataset.keep || !this.#ready) return
    const fields = [...new FormData(this.#form)].filter(([name, value]) => kept(name) && typeof value === "string")
    const records = [...this.querySelectorAll("record-picker")].map((picker) => [picker.dataset.name, picker.records ?? []])
    sessionStorage.setItem(this.dataset.keep, JSON.stringify({ fields, records }))
  }

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

// It has arrived. The panel that held it is gone by now, so it is told to the page.
document.addEventListener("ticket:created", ({ detail }) => sessionStorage.removeItem(detail.keep))
customElements.define("side-panel", SidePanel)
