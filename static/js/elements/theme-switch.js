// <theme-switch> around the form that saves the theme: shows it at once, before the server has it.
class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", this)
  }

  disconnectedCallback() {
    this.removeEventListener("submit", this)
  }

  handleEvent(event) {
    const theme = event.submitter?.value ?? ""
    if (theme) document.documentElement.dataset.theme = theme
    else delete document.documentElement.dataset.theme

    for (const choice of this.querySelectorAll("[role='menuitemradio']")) {
      choice.setAttribute("aria-checked", choice === event.submitter)
    }
  }
}
customElements.define("theme-switch", ThemeSwitch)
