// <recipient-field data-name="to" data-url="/recipients/?ticket=7">: people as chips, and an input that suggests more.
// Enter, Tab, comma and semicolon take what is typed or marked, a paste may hold many; Backspace goes back into the chips.
// Says `recipients:changed` when a chip comes or goes. The words it speaks stand in its data attributes.
import { announce } from "../announce.js";
import { readAddresses, written } from "../editor/addresses.js";
import { Listbox, again } from "../listbox.js";
import { Suggestions } from "../suggestions.js";
import { Tokens, nameOf } from "../tokens.js";

const TYPES = ["click", "keydown", "input", "paste", "focusout", "pointerdown"]

class RecipientField extends HTMLElement {
  #walk = new Listbox({
    field: () => this.#input, list: () => this.#menu, tab: true, choose: (option) => this.#take(option), close: () => this.#close(),
    pending: { words: () => this.#input.value.trim(), answer: () => this.#suggestions.pending },
  })
  #suggestions = new Suggestions({ url: () => this.#question, show: (results) => this.#show(results ?? []) })
  #tokens = new Tokens({ host: this, field: () => this.#input, back: () => this.#input.focus(), removed: (name) => this.#removed(name) })

  get #input() { return this.querySelector(".rcpt__input") }
  get #menu() { return this.querySelector("[role='listbox']") }
  get #error() { return this.querySelector(".rcpt__error") }
  get people() { return this.#tokens.all.map((token) => ({ label: nameOf(token), address: token.dataset.address })) }

  connectedCallback() {
    for (const box of this.querySelectorAll(".token input")) box.tabIndex = -1
    for (const type of TYPES) this.addEventListener(type, this)
  }

  disconnectedCallback() {
    for (const type of TYPES) this.removeEventListener(type, this)
    this.#suggestions.stop()
  }

  handleEvent(event) {
    if (event.type === "keydown") event.target === this.#input ? this.#typing(event) : this.#tokens.takes(event)
    else if (event.type === "input" && event.target === this.#input) this.#typed()
    else if (event.type === "paste" && event.target === this.#input) this.#pasted(event)
    else if (event.type === "focusout" && event.target === this.#input) this.#left()
    else if (this.#walk.takes(event)) return
    else if (event.type === "click") this.#clicked(event)
  }

  #clicked(event) {
    const remove = event.target.closest(".token__remove")
    if (remove) this.#tokens.remove(remove.closest(".token"))
    else if (event.target === this) this.#input.focus()
    // A checkbox is for those without scripts.
    else if (event.target.closest(".token label")) event.preventDefault()
  }

  // The input

  #typing(event) {
    if (event.isComposing || this.#walk.takes(event) || this.#tokens.takes(event)) return

    if (["ArrowDown", "ArrowUp"].includes(event.key) && !this.#walk.isOpen) {
      event.preventDefault()
      this.#suggestions.ask(0)
    } else if (event.key === "Enter") {
      event.preventDefault() // or the mail would be sent
      if (event.ctrlKey || event.metaKey) return
      event.stopPropagation()
      this.#takeOnceKnown(event)
    } else if (event.key === "Tab" && !event.shiftKey && this.#input.value.trim()) {
      event.preventDefault()
      this.#takeOnceKnown(event)
    }
  }

  // A part of a name is nobody yet: somebody of that name may be about to be offered.
  #takeOnceKnown(event) {
    const { pending } = this.#suggestions
    if (pending && !this.#input.value.includes("@")) again(event, pending)
    else this.#takeWhatStands()
  }

  #typed() {
    const people = readAddresses(this.#input.value)
    if (/[,;]\s*$/.test(this.#input.value) && people.length && (this.#input.value.split('"').length % 2)) {
      this.#addAll(people)
      this.#input.value = ""
    }
    this.#suggestions.ask()
  }

  #pasted(event) {
    const text = event.clipboardData.getData("text/plain")
    const people = readAddresses(text)
    if (!people.length || (people.length === 1 && !/[<@]/.test(text))) return

    event.preventDefault()
    this.#addAll(people)
  }

  #left() {
    this.#close()
    if (!this.#input.value.trim()) return

    this.#addAll(readAddresses(this.#input.value))
    this.#input.value = ""
  }

  #takeWhatStands() {
    this.#addAll(readAddresses(this.#input.value))
    this.#input.value = ""
    this.#close()
  }

  #take(option) {
    this.#addAll([{ name: option.dataset.personName, address: option.dataset.address }])
    this.#input.value = ""
    this.#close()
    this.#input.focus()
  }

  // The chips

  #removed(name) {
    this.#changed(this.dataset.gone.replace("%(name)s", name))
  }

  #addAll(people) {
    const there = new Set(this.people.map((person) => person.address.toLowerCase()))
    const added = []
    for (const person of people) {
      if (there.has(person.address.toLowerCase())) continue
      there.add(person.address.toLowerCase())
      this.#input.before(this.#token(person))
      added.push(person.name || person.address)
    }
    if (added.length) this.#changed(this.dataset.taken.replace("%(name)s", added.join(", ")))
  }

  #token({ name, address }) {
    const reason = this.#wrong(address)
    const token = this.querySelector("template").content.firstElementChild.cloneNode(true)
    token.classList.toggle("token--bad", Boolean(reason))
    token.title = token.dataset.address = address
    if (reason) token.dataset.reason = reason
    const box = token.querySelector("input")
    box.value = written(name, address)
    box.tabIndex = -1
    box.dataset.keep = ""
    token.querySelector(".token__name").textContent = name || address
    if (name) token.querySelector(".token__address").textContent = address
    else token.querySelector(".token__address").remove()
    const whom = name ? `${name}, ${address}` : address
    token.querySelector(".token__remove").setAttribute("aria-label", `${this.dataset.remove} ${whom}${reason ? `: ${reason}` : ""}`)
    return token
  }

  // What the server would say; it has the last word when the mail is sent.
  #wrong(address) {
    const local = address.slice(0, address.lastIndexOf("@"))
    const words = /[^\x00-\x7f]/.test(local) && address.includes("@") ? this.dataset.letters : this.dataset.bad
    const fine = /^[^\s@<>(),;:"\\[\]]+@[^\s@<>(),;:"\\]+$/.test(address) && /^[\x00-\x7f]+$/.test(local)
    return fine ? "" : words.replace("%(address)s", address)
  }

  #changed(said) {
    const reasons = this.#tokens.all.map((token) => token.dataset.reason).filter(Boolean)
    this.#error.textContent = reasons.join(" ")
    this.#input.toggleAttribute("aria-invalid", reasons.length > 0)
    if (reasons.length) this.#input.setAttribute("aria-invalid", "true")
    announce([said, ...reasons].join(". "))
    this.dispatchEvent(new CustomEvent("recipients:changed", { bubbles: true }))
    this.#input.dispatchEvent(new Event("change", { bubbles: true }))
  }

  // The suggestions

  get #question() {
    const url = new URL(this.dataset.url, location)
    url.searchParams.set("q", this.#input.value.trim())
    return url
  }

  // Without suggestions one types the whole address.
  #show(results) {
    const named = new Set([...document.querySelectorAll("recipient-field .token")].map((token) => token.dataset.address.toLowerCase()))
    const people = results.filter((person) => !named.has(person.address.toLowerCase()))
    if (!people.length || document.activeElement !== this.#input) return this.#close()

    if (!this.#menu.matches(":popover-open")) this.#menu.showPopover({ source: this.#input })
    const options = people.map((person) => this.#option(person))
    // For nothing typed nobody is meant yet.
    this.#walk.fill(options, this.#input.value.trim() ? options[0] : undefined)
    this.#place()
    this.#walk.opened()
    announce(this.dataset.found.replace("%(count)s", people.length))
  }

  #option({ name, address, detail }) {
    const option = document.createElement("div")
    option.className = "menu__item"
    option.setAttribute("role", "option")
    option.dataset.personName = name
    option.dataset.address = address
    const who = Object.assign(document.createElement("span"), { className: "truncate", textContent: name || address })
    const more = [name ? address : "", detail].filter(Boolean).join(" · ")
    if (more) who.append(Object.assign(document.createElement("small"), { className: "truncate", textContent: more }))
    option.append(who)
    return option
  }

  #close() {
    this.#suggestions.stop()
    if (this.#menu.matches(":popover-open")) this.#menu.hidePopover()
    this.#menu.replaceChildren()
    this.#walk.closed()
  }

  // Above the input where there is room, since the editor stands at the foot of the window.
  #place() {
    const { left, top, bottom } = this.#input.getBoundingClientRect()
    const { offsetHeight, offsetWidth } = this.#menu
    const block = top - offsetHeight - 6 > 8 ? top - offsetHeight - 6 : bottom + 6
    this.#menu.style.setProperty("--menu-inline", `${Math.max(8, Math.min(left, innerWidth - offsetWidth - 8))}px`)
    this.#menu.style.setProperty("--menu-block", `${block}px`)
  }
}
customElements.define("recipient-field", RecipientField)
