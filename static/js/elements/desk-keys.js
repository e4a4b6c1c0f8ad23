// <desk-keys data-nothing-open="…" hidden>: single keys do what a control says of itself by data-shortcut="e", "shift+p" or "g d", so that a key
// works where its control is and nowhere else. What has no control of its own (moving among messages) is told here.
import { announce } from "../announce.js";
import { TypedAhead } from "../typed-ahead.js";
import { singleKeysAreOn } from "./key-preference.js";

const NEXT_KEY_WITHIN = 1_500
const TYPING = "input, textarea, select, [contenteditable], [popover], dialog:modal"

class DeskKeys extends HTMLElement {
  #first = "" // of two keys in a row, as in G D
  #timer
  #ahead = new TypedAhead()

  connectedCallback() {
    this.#ahead.start()
    document.addEventListener("keydown", this)
  }

  disconnectedCallback() {
    this.#ahead.stop()
    document.removeEventListener("keydown", this)
    clearTimeout(this.#timer)
  }

  handleEvent(event) {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || !singleKeysAreOn()) return
    if (event.key === "Shift" || event.target.closest?.(TYPING)) return

    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
    const keys = this.#first + (event.shiftKey && /^[a-z]$/.test(key) ? `shift+${key}` : key)
    this.#wait(keys === "g" ? "g " : "")
    if (this.#ahead.isOpening && keys === "t") return this.#ahead.later(() => this.#control(keys)?.())
    if (this.#ahead.isOpening && !/^([rc]|g( .)?)$/.test(keys)) return
    const act = keys === "g" ? () => {} : this.#own(keys) ?? this.#control(keys)
    if (!act) return

    event.preventDefault()
    act()
  }

  #wait(first) {
    clearTimeout(this.#timer)
    this.#first = first
    if (first) this.#timer = setTimeout(() => (this.#first = ""), NEXT_KEY_WITHIN)
  }

  #own(keys) {
    const view = /^g ([1-9])$/.exec(keys)
    if (view) return clicking(document.querySelectorAll("#views .view")[view[1] - 1])
    return {
      n: () => this.#message(1),
      p: () => this.#message(-1),
      r: () => this.#write("reply"),
      "shift+r": () => document.activeElement.closest(".msg")?.querySelector(".msg__actions a")?.click(),
      c: () => this.#write("comment"),
      "[": () => document.querySelector("workspace-panes")?.toggle("views"),
      "]": () => document.querySelector("workspace-panes")?.toggle("context"),
      "?": () => document.querySelector("#shortcuts")?.showModal(),
      Escape: this.#backToList(),
    }[keys]
  }

  // The newest of several: the toast on top is the one that was just read.
  #control(keys) {
    const controls = [...document.querySelectorAll(`[data-shortcut="${CSS.escape(keys)}"]`)]
    return clicking(controls.filter((control) => !control.disabled && control.checkVisibility()).at(-1))
  }

  #write(mode) {
    if (this.#ahead.write(mode)) return
    announce(this.dataset.nothingOpen)
  }

  #message(by) {
    const messages = [...document.querySelectorAll("#messages .msg")]
    if (messages.length === 0) return

    const here = messages.indexOf(document.activeElement.closest(".msg"))
    // From outside the conversation: to the newest, which is what one reads first.
    const at = here < 0 ? messages.length - 1 : Math.max(0, Math.min(messages.length - 1, here + by))
    messages[at].focus({ preventScroll: true })
    messages[at].scrollIntoView({ block: "nearest" })
  }

  // Out of the conversation, to the row it was opened from.
  #backToList() {
    const inside = document.activeElement.closest("#ticket, #context")
    const row = document.querySelector(".trow__link[aria-current]")
    if (!inside || !row?.checkVisibility() || document.querySelector(":popover-open, dialog[open]")) return undefined
    return () => row.focus()
  }
}

function clicking(control) {
  return control && (() => {
    control.click()
    control.closest("action-menu")?.enter()
  })
}
customElements.define("desk-keys", DeskKeys)
