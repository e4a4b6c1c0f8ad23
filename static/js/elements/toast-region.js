// <toast-region class="toasts" id="toasts" data-failed="…" data-away="…" data-offline="…">: shows what just happened and takes it away.
// Holds a <template data-kind> for each kind of toast; toasts that stand in it or are swapped into it are treated alike.
const STAYS = 6_000

class ToastRegion extends HTMLElement {
  #arrivals
  #timers = new Map()
  #failed = new Map() // what was asked for, to the text that said that it failed

  connectedCallback() {
    document.addEventListener("toast", this)
    document.addEventListener("htmx:response:error", this)
    document.addEventListener("htmx:error", this)
    document.addEventListener("htmx:after:request", this)
    for (const type of ["click", "htmx:finally:request"]) this.addEventListener(type, this)
    this.#arrivals = new MutationObserver(() => this.#time())
    this.#arrivals.observe(this, { childList: true })
    this.#time()
  }

  disconnectedCallback() {
    document.removeEventListener("toast", this)
    document.removeEventListener("htmx:response:error", this)
    document.removeEventListener("htmx:error", this)
    document.removeEventListener("htmx:after:request", this)
    for (const type of ["click", "htmx:finally:request"]) this.removeEventListener(type, this)
    this.#arrivals.disconnect()
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  handleEvent(event) {
    if (event.type === "click") event.target.closest("[data-dismiss]")?.closest(".toast").remove()
    else if (event.type === "htmx:finally:request") this.#answered(event)
    else if (event.type === "toast") for (const { text, kind } of event.detail.items) this.show(text, kind)
    else if (event.target.closest?.("live-part, who-is-here")) return // <live-stream> and <ticket-gone> tell of those
    else if (event.type === "htmx:error") this.show(this.dataset.offline, "error")
    else if (event.type === "htmx:after:request") this.#reached(event.detail.ctx)
    else this.#explain(event.detail.ctx)
  }

  show(text, kind = "info") {
    if (this.#saying(text).length) return // a poll that keeps failing says so once

    const template = this.querySelector(`template[data-kind="${kind}"]`) ?? this.querySelector("template")
    const toast = template.content.cloneNode(true)
    toast.querySelector("[data-text]").textContent = text
    this.append(toast)
  }

  #saying(text) {
    return [...this.querySelectorAll(".toast")].filter((toast) => toast.textContent.trim().startsWith(text))
  }

  // What it offered is done. Not before: a form that is gone sends nothing, and one may have to try again.
  #answered({ target, detail: { ctx } }) {
    if (ctx.response?.status < 500) target.closest(".toast")?.remove()
  }

  // The connection is back: that it was away is no news any more. A gateway that answers for the desk is not the desk.
  // Nor is it that something failed which works now.
  #reached({ request, response, sourceElement }) {
    if (response.status < 502) for (const toast of this.#saying(this.dataset.offline)) toast.remove()
    if (response.status >= 400) return

    this.#overtaken(request, sourceElement)
    const text = this.#failed.get(nameOf(request))
    this.#failed.delete(nameOf(request))
    if (text && ![...this.#failed.values()].includes(text)) for (const toast of this.#saying(text)) toast.remove()
  }

  // What a toast offers was done somewhere else in the page.
  #overtaken(request, by) {
    for (const form of this.querySelectorAll(".toast form")) {
      const isSame = nameOf({ method: "POST", action: form.getAttribute("action") }) === nameOf(request)
      if (isSame && !form.contains(by)) form.closest(".toast").remove()
    }
  }

  // An answer that is not swapped in, and whose server did not say why itself.
  #explain({ request, response, hx }) {
    const { status } = response
    if (status === 422 || status === 409 || hx?.trigger?.includes('"toast"')) return

    const { failed, away, offline } = this.dataset
    const text = status === 502 || status === 504 ? offline : status >= 500 ? away : failed
    this.#failed.set(nameOf(request), text)
    this.show(text, "error")
  }

  #time() {
    for (const toast of this.querySelectorAll(".toast:not(.toast--error)")) {
      // One that counts down takes itself away.
      const stays = toast.dataset.seconds ? Number(toast.dataset.seconds) * 1_000 + STAYS : STAYS
      if (!this.#timers.has(toast)) this.#timers.set(toast, setTimeout(() => this.#leave(toast), stays))
    }
  }

  #leave(toast) {
    // Not away from under the pointer or the focus of somebody who is reading it, nor while it asks the desk.
    if (toast.matches(":hover, :focus-within, :has(.htmx-request)")) this.#timers.set(toast, setTimeout(() => this.#leave(toast), STAYS))
    else {
      this.#timers.delete(toast)
      toast.remove()
    }
  }
}
customElements.define("toast-region", ToastRegion)

function nameOf({ method, action }) {
  return `${method} ${action.split("?")[0]}`
}
