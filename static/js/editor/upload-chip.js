// One file of a message as people see it: its name, how far it is, what went wrong, and what can be done about it.
export class UploadChip {
  element

  constructor(host, { name, size }) {
    this.element = host.querySelector("template[data-chip]").content.firstElementChild.cloneNode(true)
    this.#find("name").textContent = name
    this.#find("name").title = name
    this.#find("size").textContent = this.size = readable(size)
    this.#find("remove").ariaLabel += ` ${name}`
    this.#find("again").ariaLabel += `: ${name}`
    this.element.dataset.bytes = size
    host.querySelector("[data-chips]").append(this.element)
  }

  // Of what the server printed, for those who have no scripts.
  static bytesOf(element) { return Number(element.dataset.bytes ?? 0) }

  begin() {
    delete this.element.dataset.failed
    this.#find("again").hidden = true
    this.#find("meter").hidden = false
    this.#find("size").textContent = this.size
    this.#find("size").removeAttribute("role")
    this.progress(0)
  }

  progress(share) {
    this.#find("meter").style.setProperty("--p", share)
    this.#find("meter").setAttribute("aria-valuenow", Math.round(share * 100))
  }

  arrived({ id }) {
    this.#find("meter").remove()
    this.#find("again").remove()
    this.element.append(Object.assign(document.createElement("input"), { type: "hidden", name: "upload", value: id }))
  }

  // `again`: whether it is worth another try.
  failed(why, { again }) {
    this.element.dataset.failed = ""
    this.#find("meter").hidden = true
    this.#find("again").hidden = !again
    this.#find("size").textContent = why
    this.#find("size").setAttribute("role", "alert")
  }

  remove() {
    this.element.remove()
  }

  #find(part) { return this.element.querySelector(`[data-${part}]`) }
}

export function readable(bytes) {
  const steps = ["byte", "kilobyte", "megabyte", "gigabyte"]
  const step = Math.min(steps.length - 1, bytes > 0 ? Math.floor(Math.log(bytes) / Math.log(1024)) : 0)
  const options = { style: "unit", unit: steps[step], unitDisplay: step ? "short" : "long", maximumFractionDigits: step > 1 ? 1 : 0 }
  return new Intl.NumberFormat(document.documentElement.lang, options).format(bytes / 1024 ** step)
}
