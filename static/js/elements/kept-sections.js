// <kept-sections data-key="profile">: around forms that are saved one by one, of which some bring the whole page anew.
// What was typed into the others meanwhile is there again, as long as the tab is; passwords are never kept.
class KeptSections extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", this, true)
    this.#restore()
  }

  disconnectedCallback() {
    this.removeEventListener("submit", this, true)
  }

  handleEvent(event) {
    const kept = {}
    for (const form of this.querySelectorAll("form")) {
      if (form === event.target) continue
      for (const field of form.elements) if (isChanged(field)) kept[field.id] = field.type === "checkbox" ? field.checked : field.value
    }
    sessionStorage.setItem(this.dataset.key, JSON.stringify(kept))
  }

  #restore() {
    const kept = JSON.parse(sessionStorage.getItem(this.dataset.key) ?? "{}")
    sessionStorage.removeItem(this.dataset.key)
    for (const [id, value] of Object.entries(kept)) {
      const field = document.getElementById(id)
      if (!field || !this.contains(field)) continue
      if (typeof value === "boolean") field.checked = value
      else field.value = value
    }
  }
}

function isChanged(field) {
  if (!field.id || ["password", "hidden", "submit", "radio"].includes(field.type)) return false
  if (field.type === "checkbox") return field.checked !== field.defaultChecked
  if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected)
  return field.value !== field.defaultValue
}
customElements.define("kept-sections", KeptSections)
