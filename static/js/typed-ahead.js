// What one types ahead of the page: after R or C every letter belongs to the editor that was asked for, also when its ticket
// is still on its way. Letters are commands only where one meant them to be.
import { write } from "./held-keys.js";

const RESTS = 1_000 // milliseconds without a key until letters are commands again, after an editor went away under them
const FIELD = "input, textarea, select, [contenteditable], [popover], dialog"
const TEXT = "textarea, [contenteditable]"
const TOLD = ["htmx:before:request", "htmx:finally:request"]

export class TypedAhead {
  #opening = new Set() // requests that bring another ticket in the place of this one
  #pane // of the ticket that goes; its place is taken a moment before the request ends
  #held // { mode, text }: for the ticket that comes
  #later // what else waits for the ticket that comes
  #left // the field of the ticket that goes, for when it stays after all
  #typedAt = -Infinity // the last letter in a field that one has not left by oneself

  start() {
    for (const type of ["keydown", "pointerdown"]) document.addEventListener(type, this, true)
    for (const type of TOLD) document.addEventListener(type, this)
  }

  stop() {
    for (const type of ["keydown", "pointerdown"]) document.removeEventListener(type, this, true)
    for (const type of TOLD) document.removeEventListener(type, this)
  }

  // Keys that are pressed now are not meant for the ticket that still shows.
  get isOpening() { return this.#opening.size > 0 }

  // Into the editor of the open ticket, or of the one that comes. False where there is none: what is typed then goes nowhere.
  write(mode) {
    const composer = document.querySelector("#composer")
    if (this.isOpening) this.#held = { mode, text: "" }
    else if (composer) composer.open(mode)
    else this.#typedAt = performance.now()
    return this.isOpening || Boolean(composer)
  }

  // For what makes nothing of the open ticket, and would lose the focus to the one that comes.
  later(act) {
    this.#later = act
  }

  handleEvent(event) {
    const answer = {
      keydown: () => this.#held && !event.target.closest?.(FIELD) ? this.#hold(event) : this.#watch(event),
      pointerdown: () => (this.#typedAt = -Infinity),
      "htmx:before:request": () => this.#asks(event.detail.ctx),
      "htmx:finally:request": () => this.#answered(event.detail.ctx),
    }[event.type]
    answer()
  }

  // A ticket chosen instead of another one is not what the words were meant for.
  #asks(ctx) {
    if (!bringsAnother(ctx)) return
    if ([...this.#opening].some(({ request }) => request.method === "GET")) this.#drop()
    this.#opening.add(ctx)
    this.#pane = document.querySelector("#ticket")
    // What is typed from here on is not for the one that goes.
    if (!document.activeElement.matches(`#ticket :is(${TEXT})`)) return
    this.#left = document.activeElement
    this.#left.blur()
  }

  #answered(ctx) {
    if (!this.#opening.delete(ctx)) return
    if (ctx.status !== "swapped") this.#drop()
    setTimeout(() => this.#give()) // a ticket that was closed asks for the next one now
  }

  #give() {
    if (this.isOpening) return
    const [left, later] = [this.#left, this.#later]
    this.#left = this.#later = undefined
    later?.()
    if (left?.isConnected && document.activeElement === document.body) left.focus()
    if (!this.#held) return
    const { mode, text } = this.#held
    const hasCome = !this.#pane?.isConnected
    if (hasCome) document.querySelector("#composer")?.open(mode)
    const field = document.activeElement
    // Words that were meant for another ticket are nothing for this one.
    if (!hasCome || !field.matches(`#composer :is(${TEXT})`)) return this.#drop()

    this.#held = undefined
    write(text, field)
  }

  // Whoever was writing goes on for a moment before they see that nobody listens.
  #drop() {
    if (this.#held) this.#typedAt = performance.now()
    this.#held = undefined
  }

  #hold(event) {
    const command = (event.ctrlKey || event.metaKey) && !event.getModifierState("AltGraph")
    if (command && event.key !== "Enter") return
    if (event.key.length > 1 && !["Enter", "Backspace", "Escape", "Tab"].includes(event.key)) return

    event.preventDefault()
    event.stopPropagation()
    if (event.key.length === 1) this.#held.text += event.key
    else if (event.key === "Enter" && !command) this.#held.text += "\n"
    else if (event.key === "Backspace") this.#held.text = [...this.#held.text].slice(0, -1).join("")
    else if (event.key === "Escape") this.#held = undefined
  }

  // Out of a field by Escape, Tab, a command or a click: the next letter is meant as a key.
  #watch(event) {
    if (event.key === "Shift" || event.target.closest?.(".token")) return // chips are a part of their field
    const isText = event.key.length === 1 || event.key === "Backspace" || (event.key === "Enter" && event.target.closest?.(TEXT))
    const isCommand = event.ctrlKey || event.metaKey || event.altKey
    if (event.target.closest?.(FIELD)) {
      this.#typedAt = isText && !isCommand ? event.timeStamp : -Infinity
    } else if (isText && !isCommand && event.timeStamp - this.#typedAt < RESTS) {
      this.#typedAt = event.timeStamp
      event.preventDefault()
      event.stopPropagation()
    } else this.#typedAt = -Infinity
  }
}

function bringsAnother({ target, request, sourceElement }) {
  if (sourceElement?.closest("next-ticket")?.goesOn) return true
  if (sourceElement?.matches("#reply-form:has([name='next']:checked)")) return true
  const place = typeof target === "string" ? document.querySelector(target) : target
  return request.method === "GET" && place?.id === "ticket"
}
