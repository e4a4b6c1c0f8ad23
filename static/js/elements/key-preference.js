// <key-preference><input type="checkbox"></key-preference>: whether single keys do anything, kept in this browser.
// Somebody who dictates or types without looking can switch them off (WCAG 2.1.4).
export const singleKeysAreOn = () => localStorage.getItem("single-keys") !== "off"

class KeyPreference extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", this)
    this.querySelector("input").checked = singleKeysAreOn()
  }

  disconnectedCallback() {
    this.removeEventListener("change", this)
  }

  handleEvent(event) {
    localStorage.setItem("single-keys", event.target.checked ? "on" : "off")
  }
}
customElements.define("key-preference", KeyPreference)
