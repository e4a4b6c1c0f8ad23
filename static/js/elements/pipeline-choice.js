// <pipeline-choice data-url="/pipelines/0/statuses/" hx-get="…" hx-trigger="change">: the statuses of the pipeline that was
// just chosen are fetched by htmx, from the address of that one.
class PipelineChoice extends HTMLElement {
  connectedCallback() { this.addEventListener("change", this, true) }
  disconnectedCallback() { this.removeEventListener("change", this, true) }

  // On the way down, before htmx reads the address.
  handleEvent(event) {
    this.setAttribute("hx-get", this.dataset.url.replace("/0/", `/${event.target.value}/`))
  }
}
customElements.define("pipeline-choice", PipelineChoice)
