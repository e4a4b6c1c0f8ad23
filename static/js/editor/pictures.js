// Pictures in the text. Each is shown at once (blob:), goes up as a file, and then has the address that the server gave.

// Of all texts in this page: address they are shown by -> the server's answer { id, url, name, size }.
const arrived = new Map()

export class Pictures {
  #host
  #squire
  #uploads
  #changed

  constructor(host, squire, uploads, changed) {
    this.#host = host
    this.#squire = squire
    this.#uploads = uploads
    this.#changed = changed
    squire.addEventListener("willPaste", (event) => this.#embed(event.detail.fragment))
  }

  static isPicture(file) {
    return /^image\/(png|jpeg|gif|webp)$/.test(file.type)
  }

  // Those that stand in the text and are on the server.
  get inText() {
    const found = [...this.#root.querySelectorAll("img")].map((image) => arrived.get(image.src)).filter(Boolean)
    return [...new Set(found)]
  }

  add(file) {
    const image = this.#squire.insertImage(URL.createObjectURL(file), { alt: "", "data-uploading": "" })
    return this.#send(file, image.src)
  }

  // Undo may have brought back one that was still on its way.
  settle() {
    for (const image of this.#root.querySelectorAll("img[src^='blob:']")) {
      const sent = arrived.get(image.src)
      if (sent) settle(image, sent)
    }
  }

  // A picture goes with the form as long as it stands in the text.
  carry() {
    const ids = this.inText.map(({ id }) => String(id))
    const fields = [...this.#host.querySelectorAll("input[data-image]")]
    if (fields.map((field) => field.value).join() === ids.join()) return

    for (const field of fields) field.remove()
    for (const value of ids) {
      const field = Object.assign(document.createElement("input"), { type: "hidden", name: "upload", value })
      field.dataset.image = ""
      this.#host.append(field)
    }
  }

  get #root() { return this.#squire.getRoot() }

  async #send(file, address) {
    const sent = await this.#uploads.add(file, { inline: true })
    if (sent) remember(address, sent)
    // By its address: undo may have put another element in the picture's place.
    for (const image of [...this.#root.querySelectorAll("img")].filter((one) => one.src === address)) {
      if (sent) settle(image, sent)
      else image.remove()
    }
    this.#changed()
  }

  // Pasted HTML may carry its pictures in itself. They are files to a mail, so they are sent as files.
  #embed(fragment) {
    for (const image of fragment?.querySelectorAll("img[src^='data:image/']") ?? []) {
      const file = fileFrom(image.getAttribute("src"))
      if (!file || !this.#uploads.takes) {
        image.remove()
        continue
      }
      image.src = URL.createObjectURL(file)
      image.dataset.uploading = ""
      this.#send(file, image.src)
    }
  }
}

function settle(image, sent) {
  image.setAttribute("src", sent.url)
  image.setAttribute("alt", sent.name ?? "")
  image.removeAttribute("data-uploading")
}

function remember(address, sent) {
  arrived.set(address, sent)
  arrived.set(new URL(sent.url, location.href).href, sent)
}

function fileFrom(address) {
  const [, type, base64] = /^data:(image\/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=\s]+)$/.exec(address) ?? []
  if (!type) return null
  try {
    const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0))
    return new File([bytes], `image.${type.slice(6)}`, { type })
  } catch {
    return null
  }
}
