// <workspace-panes class="ws" data-pane="list|ticket">: which panes show where there is no room for all of them.
// A link with data-toggle="views" or "context" (its href names the pane, for a page without scripts) shows and hides one.
const ROOM_FOR_ALL = matchMedia("(min-width: 80rem)")

class WorkspacePanes extends HTMLElement {
  #number // of the open ticket

  connectedCallback() {
    this.addEventListener("click", this)
    this.addEventListener("keydown", this)
    document.addEventListener("htmx:after:swap", this)
    ROOM_FOR_ALL.addEventListener("change", this)
    this.#number = this.querySelector("#ticket")?.dataset.number
    this.#tell()
  }

  disconnectedCallback() {
    this.removeEventListener("click", this)
    this.removeEventListener("keydown", this)
    document.removeEventListener("htmx:after:swap", this)
    ROOM_FOR_ALL.removeEventListener("change", this)
  }

  handleEvent(event) {
    if (event.type === "click") this.#clicked(event)
    else if (event.type === "keydown") this.#key(event)
    else if (event.type === "htmx:after:swap") this.#swapped()
    else if (event.type === "change") this.#closeDrawers(false)
  }

  // Views are a drawer where there is no room for them; the context is a drawer there, and a column elsewhere.
  toggle(pane) {
    if (ROOM_FOR_ALL.matches) {
      if (pane === "context") this.classList.toggle("no-context")
    } else if (this.classList.toggle(`show-${pane}`)) {
      this.classList.remove(pane === "views" ? "show-context" : "show-views")
      this.#pane(pane)?.querySelector("a, button, summary")?.focus({ preventScroll: true })
    }
    this.#tell()
  }

  #clicked(event) {
    const toggle = event.target.closest("[data-toggle]")
    if (toggle) {
      event.preventDefault()
      this.toggle(toggle.dataset.toggle)
    } else if (event.target.closest(".view") || !event.target.closest(".ws__views, .ws__context")) {
      this.#closeDrawers(false)
    }
  }

  #key(event) {
    // A menu or dialog on top closes first. To look for one takes its time on a long page: not at every key.
    if (event.key !== "Escape" || event.defaultPrevented) return
    if (document.querySelector(":popover-open, dialog[open]")) return
    if (this.#closeDrawers(true)) event.preventDefault() // the next one leads back to the list
  }

  #swapped() {
    // The ticket pane says itself whether a ticket is open in it, so a swap of it alone turns the page on a phone.
    const number = this.querySelector("#ticket")?.dataset.number
    if (number !== this.#number) {
      this.#number = number
      this.dataset.pane = number ? "ticket" : "list"
      this.#closeDrawers(false)
    }
    this.#tell()
  }

  #closeDrawers(giveFocusBack) {
    const open = ["views", "context"].find((pane) => this.classList.contains(`show-${pane}`))
    if (!open) return false

    this.classList.remove("show-views", "show-context")
    if (giveFocusBack) this.querySelector(`[data-toggle="${open}"]`)?.focus()
    this.#tell()
    return true
  }

  #tell() {
    for (const toggle of this.querySelectorAll("[data-toggle]")) {
      const shown = this.#pane(toggle.dataset.toggle)?.checkVisibility() ?? false
      toggle.setAttribute("aria-expanded", shown)
    }
  }

  #pane(name) {
    return this.querySelector(`.ws__${name}`)
  }
}
customElements.define("workspace-panes", WorkspacePanes)
