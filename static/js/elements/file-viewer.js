// <file-viewer id="file-viewer"><dialog class="viewer">…</dialog></file-viewer>: shows the files of a message one at a
// time, whatever `a.attachment[data-preview]` was clicked: pictures to zoom, PDFs and texts in a frame of their own.
// Arrows turn, + and - zoom, 0 fits, Escape closes, and focus goes back to where it came from.
const STEP = 1.25
const MOST = 8

class FileViewer extends HTMLElement {
  #files = []
  #at = 0
  #zoom = 0 // 0 fits

  get #dialog() { return this.querySelector("dialog") }
  get #picture() { return this.#part("stage").querySelector("img") }

  connectedCallback() {
    document.addEventListener("click", this)
    this.#dialog.addEventListener("keydown", this)
    this.#dialog.addEventListener("close", this)
  }

  disconnectedCallback() {
    document.removeEventListener("click", this)
    this.#dialog?.removeEventListener("keydown", this)
    this.#dialog?.removeEventListener("close", this)
  }

  handleEvent(event) {
    if (event.type === "keydown") this.#key(event)
    else if (event.type === "close") this.#part("stage").replaceChildren()
    else if (this.contains(event.target)) this.#pressed(event)
    else this.#chosen(event)
  }

  #chosen(event) {
    const file = event.target.closest?.("a.attachment[data-preview]")
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey
    if (!file || !isPlain) return

    event.preventDefault()
    this.#files = [...file.closest(".attachments").querySelectorAll("a.attachment[data-preview]")]
    this.#dialog.showModal()
    this.#show(this.#files.indexOf(file))
  }

  #pressed(event) {
    if (event.target === this.#dialog) this.#dialog.close() // beside it
    const pressed = event.target.closest("[data-do]")?.dataset.do
    if (pressed === "close") this.#dialog.close()
    else if (pressed === "back") this.#turn(-1)
    else if (pressed === "on") this.#turn(1)
    else if (pressed === "larger") this.#resize(STEP)
    else if (pressed === "smaller") this.#resize(1 / STEP)
    else if (pressed === "fit") this.#fit()
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return

    const acts = {
      ArrowLeft: () => this.#turn(-1),
      ArrowRight: () => this.#turn(1),
      "+": () => this.#resize(STEP),
      "=": () => this.#resize(STEP),
      "-": () => this.#resize(1 / STEP),
      0: () => this.#fit(),
    }
    event.stopPropagation() // the keys of the desk rest while a file is open
    // A picture larger than its place is moved by the arrows first.
    const isMoving = this.#zoom && event.target === this.#part("stage") && event.key.startsWith("Arrow")
    if (!acts[event.key] || isMoving) return

    event.preventDefault()
    acts[event.key]()
  }

  #turn(step) {
    const place = this.#at + step
    if (place >= 0 && place < this.#files.length) this.#show(place)
  }

  #show(place) {
    this.#at = place
    const { name, size, preview, file } = this.#files[place].dataset
    const address = this.#files[place].href
    this.#part("size").textContent = size
    this.querySelector("#viewer-name").textContent = name
    const several = this.#files.length > 1
    this.#part("place").textContent = several
      ? this.dataset.of.replace("%place%", place + 1).replace("%count%", this.#files.length)
      : ""
    this.#part("open").href = address
    this.#part("download").href = file
    this.querySelector("[data-do='back']").hidden = !several || place === 0
    this.querySelector("[data-do='on']").hidden = !several || place === this.#files.length - 1
    this.querySelector(".viewer__tools").hidden = preview !== "image"
    this.#part("stage").replaceChildren(preview === "image" ? this.#pictureOf(address, name) : frameOf(address, name))
    this.#fit()
    // What had the focus may just have been hidden, with the tools around it.
    const { activeElement: active } = document
    if (!this.#dialog.contains(active) || !active.checkVisibility()) this.#part("stage").focus()
  }

  #pictureOf(address, name) {
    const picture = document.createElement("img")
    picture.alt = name
    picture.src = address
    picture.addEventListener("error", () => {
      const words = document.createElement("p")
      words.textContent = this.dataset.failed
      picture.replaceWith(words)
    })
    return picture
  }

  #fit() {
    this.#zoom = 0
    this.#part("stage").removeAttribute("data-zoomed")
  }

  #resize(by) {
    const picture = this.#picture
    if (!picture?.naturalWidth) return

    const now = this.#zoom || picture.clientWidth / picture.naturalWidth
    this.#zoom = Math.min(MOST, Math.max(0.05, now * by))
    this.#part("stage").toggleAttribute("data-zoomed", true)
    picture.style.setProperty("--picture-inline", `${Math.round(picture.naturalWidth * this.#zoom)}px`)
  }

  #part(name) { return this.querySelector(`[data-part='${name}']`) }
}

// What the frame shows brings a policy of its own that runs nothing. A sandbox here would keep the browser from drawing a PDF.
function frameOf(address, name) {
  const frame = document.createElement("iframe")
  frame.title = name
  frame.src = address
  return frame
}
customElements.define("file-viewer", FileViewer)
