// Files on their way into a message. Each is sent as soon as it is chosen, three at a time, and shown as a chip with its
// progress; when it has arrived, a hidden field carries its number with the form. The server answers
// {"id", "url", "name", "size"} or {"error"}. What is too large is refused here with the server's own sentence.
import { csrfToken } from "../csrf.js";
import { readable, UploadChip } from "./upload-chip.js";

const SLOWEST = 10 * 60_000
const AT_ONCE = 3
const IN_A_MAIL = 78 / 57 // a mail writes 57 bytes as a line of 76 letters

export class Uploads {
  #host
  #changed
  #words
  #jobs = new Map() // chip's element -> { file, chip, request, inline, resolve }, until it has arrived or is removed
  #waiting = []
  #going = 0

  constructor(host, changed) {
    this.#host = host
    this.#changed = changed
    this.#words = host.querySelector("[data-status]").dataset
    host.addEventListener("click", this)
    this.#adopt()
  }

  close() {
    this.#host.removeEventListener("click", this)
    this.#waiting = []
    for (const { request } of this.#jobs.values()) request?.abort()
    this.#jobs.clear()
  }

  get takes() { return Boolean(this.#host.dataset.uploadUrl) }

  // Why the form cannot go now, or "". `more`: bytes of pictures in the text.
  obstacle(more = 0) {
    const jobs = [...this.#jobs.values()]
    if (jobs.some(({ chip }) => !("failed" in chip.element.dataset))) return this.#words.uploading
    if (jobs.length) return this.#words.unfinished
    return this.tooMuch(more)
  }

  tooMuch(more = 0) {
    const most = Number(this.#host.dataset.mailMost)
    if (!most) return ""
    const sizes = [...this.#host.querySelectorAll("[data-chips] .attachment")].map(UploadChip.bytesOf)
    const all = sizes.reduce((sum, size) => sum + size, more) * IN_A_MAIL
    return all > most ? this.#words.mailTooLarge.replace("{size}", readable(all)).replace("{most}", readable(most)) : ""
  }

  // Comes back with the server's answer, or undefined once the file was given up. An image for the text itself has no
  // chip after it has arrived: it is seen where it stands.
  add(file, { inline = false } = {}) {
    const chip = new UploadChip(this.#host, file)
    return new Promise((resolve) => {
      const job = { file, chip, inline, resolve }
      this.#jobs.set(chip.element, job)
      const most = Number(this.#host.dataset.uploadMost)
      if (most && file.size > most) chip.failed(this.#words.tooLarge.replace("{name}", file.name), { again: false })
      else this.#queue(job)
      this.#changed()
    })
  }

  clear() {
    this.#host.querySelector("[data-chips]").replaceChildren()
  }

  handleEvent(event) {
    const element = event.target.closest("[data-remove], [data-again]")?.closest(".attachment")
    if (!element) return

    const job = this.#jobs.get(element)
    if (event.target.closest("[data-again]")) this.#queue(job)
    else {
      const next = element.nextElementSibling ?? element.previousElementSibling
      job?.request?.abort()
      this.#jobs.delete(element)
      this.#waiting = this.#waiting.filter((one) => one !== job)
      element.remove()
      const focus = next?.querySelector("[data-remove]") ?? this.#host.querySelector(".editor")
      focus?.focus()
      job?.resolve(undefined)
    }
    this.#changed()
  }

  #queue(job) {
    job.chip.begin()
    this.#waiting.push(job)
    this.#sendNext()
  }

  #sendNext() {
    while (this.#going < AT_ONCE && this.#waiting.length) this.#send(this.#waiting.shift())
  }

  async #send(job) {
    this.#going += 1
    try {
      const sent = await this.#post(job)
      this.#jobs.delete(job.chip.element)
      if (job.inline) job.chip.remove()
      else job.chip.arrived(sent)
      job.resolve(sent)
    } catch (problem) {
      if (problem.name !== "AbortError") job.chip.failed(problem.message, { again: problem.again })
    } finally {
      this.#going -= 1
      this.#sendNext()
      this.#changed()
    }
  }

  #post(job) {
    const body = new FormData()
    body.append("file", job.file, job.file.name || "image.png")

    const request = new XMLHttpRequest() // fetch tells nothing of its progress
    job.request = request
    return new Promise((resolve, reject) => {
      const broke = () => reject(Object.assign(new Error(this.#words.uploadFailed), { again: true }))
      request.upload.addEventListener("progress", ({ loaded, total }) => job.chip.progress(total ? loaded / total : 0))
      request.addEventListener("load", () => {
        const { status, response } = request
        if (status >= 200 && status < 300 && response?.id) resolve(response)
        else if (response?.error) reject(new Error(response.error))
        else if (status === 413) reject(new Error(this.#words.tooLarge.replace("{name}", job.file.name)))
        else broke()
      })
      request.addEventListener("error", broke)
      request.addEventListener("timeout", broke)
      request.addEventListener("abort", () => reject(new DOMException("", "AbortError")))
      request.open("POST", this.#host.dataset.uploadUrl)
      request.responseType = "json"
      request.timeout = SLOWEST
      request.setRequestHeader("X-CSRFToken", csrfToken())
      request.send(body)
    })
  }

  // The server prints what was attached before as check boxes, which need no script; here they are chips like others.
  #adopt() {
    const kept = [...this.#host.querySelectorAll("[data-kept]")]
    const text = this.#host.querySelector("input[data-html]").value
    const files = kept.map(({ dataset: { id, name, bytes } }) => ({ id, name, size: Number(bytes) }))
    for (const file of files) if (!text.includes(`/uploads/${file.id}/`)) new UploadChip(this.#host, file).arrived(file)
    for (const one of kept) one.remove()
  }
}
