// <progress-bar class="progress" hidden>: a line on top of the page while something one asked for takes its time.
// What the page fetches by itself (counts, rows) does not show.
class ProgressBar extends HTMLElement {
  #waiting = new Map()

  connectedCallback() {
    document.addEventListener("htmx:before:request", this)
    document.addEventListener("htmx:finally:request", this)
  }

  disconnectedCallback() {
    document.removeEventListener("htmx:before:request", this)
    document.removeEventListener("htmx:finally:request", this)
  }

  handleEvent({ type, detail: { ctx } }) {
    if (type === "htmx:before:request" && ctx.sourceEvent?.isTrusted) {
      this.#waiting.set(ctx, setTimeout(() => { this.hidden = false }, 150))
    }
    if (type === "htmx:finally:request" && this.#waiting.has(ctx)) {
      clearTimeout(this.#waiting.get(ctx))
      this.#waiting.delete(ctx)
      if (this.#waiting.size === 0) this.hidden = true
    }
  }
}
customElements.define("progress-bar", ProgressBar)
