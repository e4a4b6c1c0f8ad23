// Makes or changes a snippet without leaving what one writes: the form of the settings page, in a dialog. What one
// inserts is what is saved there, with its placeholders as they are.
import { csrfToken } from "../csrf.js";

export class SnippetDialog {
  #snippet
  #back
  #dialog

  // `snippet`: { html } for a new one, { id, name, shortcut, html, shared, change } for one that is there.
  constructor(snippet, back) {
    this.#snippet = snippet
    this.#back = back
  }

  open() {
    const template = document.querySelector("template[data-snippet-dialog]")
    const dialog = template.content.firstElementChild.cloneNode(true)
    const { name = "", shortcut = "", html, shared, change } = this.#snippet
    dialog.querySelector("[data-heading]").textContent = change ? dialog.dataset.edit : dialog.dataset.new
    dialog.querySelector("[name='name']").value = name
    dialog.querySelector("[name='shortcut']").value = shortcut
    dialog.querySelector("[name='html']").value = html
    const everybody = dialog.querySelector("[name='shared']")
    if (everybody) everybody.checked = Boolean(shared)
    dialog.querySelector("[data-delete]").hidden = !change
    document.body.append(dialog)
    dialog.addEventListener("submit", this)
    dialog.addEventListener("click", this)
    dialog.addEventListener("cancel", this)
    this.#dialog = dialog
    dialog.showModal()
    dialog.querySelector("[name='name']").focus()
  }

  handleEvent(event) {
    if (event.type === "cancel" && event.target === this.#dialog) this.#close()
    else if (event.type === "submit") {
      event.preventDefault()
      this.#save()
    } else if (event.type === "click" && event.target.closest("[data-cancel]")) this.#close()
    else if (event.type === "click" && event.target.closest("[data-delete]")) this.#ask(true)
    else if (event.type === "click" && event.target.closest("[data-keep]")) this.#ask(false)
    else if (event.type === "click" && event.target.closest("[data-delete-now]")) this.#delete()
  }

  get #form() { return this.#dialog.querySelector("form") }

  #ask(whether) {
    this.#dialog.querySelector("[data-buttons]").hidden = whether
    this.#dialog.querySelector("[data-sure]").hidden = !whether
    this.#dialog.querySelector(whether ? "[data-keep]" : "[data-delete]").focus()
  }

  async #save() {
    const answer = await this.#post(this.#snippet.change || this.#form.action, new FormData(this.#form))
    if (!answer) return
    if (answer.errors) this.#explain(answer.errors)
    else this.#done(answer)
  }

  async #delete() {
    const answer = await this.#post(`${this.#snippet.change}deletion/`, new FormData())
    if (answer) this.#done(answer)
  }

  async #post(address, body) {
    const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() }
    body.delete("csrfmiddlewaretoken")
    const button = this.#dialog.querySelector("[data-send]")
    button.disabled = true
    try {
      const answer = await fetch(address, { method: "POST", body, headers, signal: AbortSignal.timeout(20_000) })
      if (answer.ok || answer.status === 422) return await answer.json()
    } catch {
      // said below
    } finally {
      button.disabled = false
    }
    this.#explain({ __all__: [this.#dialog.dataset.failed] })
    return null
  }

  #explain(errors) {
    for (const place of this.#dialog.querySelectorAll("[data-error]")) {
      place.textContent = (errors[place.dataset.error] ?? []).join(" ")
      place.hidden = !place.textContent
    }
    const first = Object.keys(errors)[0]
    const field = first === "html" ? this.#dialog.querySelector(".editor") : this.#form.elements[first]
    field?.focus()
  }

  #done({ said }) {
    this.#close()
    document.dispatchEvent(new CustomEvent("toast", { detail: { items: [{ text: said, kind: "info" }] } }))
  }

  // The "close" event comes a moment later: a key that one presses at once would be nobody's.
  #close() {
    this.#dialog.remove()
    this.#back.focus()
  }
}
