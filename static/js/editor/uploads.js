// Files on their way into a message. Each is sent at once and shown as a chip with its progress; when it has arrived,
// a hidden field carries its number with the form. The server answers {"id", "url", "name", "size"} or {"error"}.
const SLOWEST = 10 * 60_000

export class Uploads {
  #host
  #going = new Set()

  constructor(host) {
    this.#host = host
    host.addEventListener("click", this)
  }

  close() {
    this.#host.removeEventListener("click", this)
    for (const request of this.#going) request.abort()
    this.#going.clear()
  }

  get going() { return this.#going.size > 0 }

  // What has arrived, to be kept with an unsent text.
  get files() {
    return [...this.#host.querySelectorAll("input[name='upload'][data-file]")].map((field) => JSON.parse(field.dataset.file))
  }

  // Sends a file and comes back with the server's answer, or undefined when it could not be sent. The chip says why.
  // An image for the text itself has no chip once it is there: it is seen where it stands.
  async add(file, { inline = false } = {}) {
    const chip = this.#chip(file.name, file.size)
    try {
      const sent = await this.#send(chip, file, inline)
      if (inline) chip.remove()
      else this.#arrived(chip, sent)
      return sent
    } catch (problem) {
      if (problem.name === "AbortError") chip.remove()
      else fail(chip, problem.message)
      return undefined
    } finally {
      this.#host.dispatchEvent(new CustomEvent("editor:changed"))
    }
  }

  restore(files) {
    for (const file of files) this.#arrived(this.#chip(file.name, file.size), file)
  }

  clear() {
    this.#host.querySelector("[data-chips]").replaceChildren()
  }

  handleEvent(event) {
    const chip = event.target.closest("[data-remove]")?.closest(".attachment")
    if (!chip) return

    chip.request?.abort()
    chip.remove()
    this.#host.dispatchEvent(new CustomEvent("editor:changed"))
  }

  #send(chip, file, inline) {
    const body = new FormData()
    body.append("file", file, file.name || "image.png")
    if (inline) body.append("inline", "1")

    const request = new XMLHttpRequest() // fetch tells nothing of its progress
    chip.request = request
    this.#going.add(request)
    return new Promise((resolve, reject) => {
      const explain = (answer) => reject(new Error(answer?.error ?? this.#host.querySelector("[data-status]").dataset.uploadFailed))
      request.upload.addEventListener("progress", ({ loaded, total }) => progress(chip, loaded / total))
      request.addEventListener("load", () => {
        const ok = request.status >= 200 && request.status < 300 && request.response?.id
        if (ok) resolve(request.response)
        else explain(request.response)
      })
      request.addEventListener("error", () => explain())
      request.addEventListener("timeout", () => explain())
      request.addEventListener("abort", () => reject(new DOMException("", "AbortError")))
      request.open("POST", this.#host.dataset.uploadUrl)
      request.responseType = "json"
      request.timeout = SLOWEST
      request.setRequestHeader("X-CSRFToken", this.#host.closest("form")?.elements.csrfmiddlewaretoken?.value ?? "")
      request.send(body)
    }).finally(() => this.#going.delete(request))
  }

  #chip(name, size) {
    const template = this.#host.querySelector("template[data-chip]")
    const chip = template.content.firstElementChild.cloneNode(true)
    chip.querySelector("[data-name]").textContent = name
    chip.querySelector("[data-size]").textContent = readable(size)
    chip.querySelector("[data-remove]").ariaLabel += ` ${name}`
    this.#host.querySelector("[data-chips]").append(chip)
    return chip
  }

  #arrived(chip, sent) {
    chip.querySelector("[role='progressbar']")?.remove()
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "upload", value: sent.id })
    field.dataset.file = JSON.stringify({ id: sent.id, name: sent.name, size: sent.size })
    chip.append(field)
  }
}

function progress(chip, share) {
  const bar = chip.querySelector("[role='progressbar']")
  bar?.style.setProperty("--p", share)
  bar?.setAttribute("aria-valuenow", Math.round(share * 100))
}

function fail(chip, why) {
  chip.dataset.failed = ""
  chip.querySelector("[role='progressbar']")?.remove()
  chip.querySelector("[data-size]").textContent = why
  chip.querySelector("[data-size]").setAttribute("role", "alert")
}

function readable(bytes) {
  const steps = ["byte", "kilobyte", "megabyte", "gigabyte"]
  const step = Math.min(steps.length - 1, bytes > 0 ? Math.floor(Math.log(bytes) / Math.log(1024)) : 0)
  const options = { style: "unit", unit: steps[step], unitDisplay: step ? "short" : "long", maximumFractionDigits: step > 1 ? 1 : 0 }
  return new Intl.NumberFormat(document.documentElement.lang, options).format(bytes / 1024 ** step)
}
