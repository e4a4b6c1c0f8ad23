// <recipient-field data-name="to" data-url="/recipients/?ticket=7">: people as chips, and an input that suggests more.
// Enter, Tab, comma and semicolon take what is typed or marked, a paste may hold many; Backspace goes back into the chips.
// Says `recipients:changed` when a chip comes or goes. The words it speaks stand in its data attributes.
import { readAddresses, written } from "../editor/addresses.js";

const PAUSE = 120

class RecipientField extends HTMLElement {
  #timer
  #asking
  #marked = -1

  get #input() { return this.querySelector(".rcpt__input") }
  get #menu() { return this.querySelector("[role='listbox']") }
  get #error() { return this.querySelector(".rcpt__error") }
  get #chips() { return [...this.querySelectorAll(".token")] }
  get #options() { return [...this.#menu.querySelectorAll("[role='option']")] }
  get people() { return this.#chips.map((chip) => ({ label: chip.querySelector(".token__name").textContent, address: chip.dataset.address })) }

  connectedCallback() {
    for (const box of this.querySelectorAll(".token input")) box.tabIndex = -1
    for (const type of ["click", "keydown", "input", "paste", "focusout", "pointerdown"]) this.addEventListener(type, this)
  }

  disconnectedCallback() {
    for (const type of ["click", "keydown", "input", "paste", "focusout", "pointerdown"]) this.removeEventListener(type, this)
    clearTimeout(this.#timer)
    this.#asking?.abort()
  }

  handleEvent(event) {
    if (event.type === "keydown") event.target === this.#input ? this.#typing(event) : this.#onChip(event)
    else if (event.type === "input" && event.target === this.#input) this.#typed()
    else if (event.type === "paste" && event.target === this.#input) this.#pasted(event)
    else if (event.type === "focusout" && event.target === this.#input) this.#left()
    // The input keeps the focus while one picks with the mouse.
    else if (event.type === "pointerdown" && event.target.closest("[role='option']")) event.preventDefault()
    else if (event.type === "click") this.#clicked(event)
  }

  #clicked(event) {
    const option = event.target.closest("[role='option']")
    const remove = event.target.closest(".token button")
    if (option) this.#take(option)
    else if (remove) this.#remove(remove.closest(".token"))
    else if (event.target === this) this.#input.focus()
    // A checkbox is for those without scripts.
    else if (event.target.closest(".token label")) event.preventDefault()
  }

  // The input

  #typing(event) {
    const input = this.#input
    const options = this.#options
    if (event.isComposing) return

    if (["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault()
      if (!this.#isOpen) return this.#askSoon(0)
      const step = event.key === "ArrowDown" ? 1 : -1
      this.#mark((this.#marked + step + options.length + (this.#marked < 0 && step < 0 ? 1 : 0)) % options.length)
    } else if (event.key === "Enter") {
      event.preventDefault() // or the mail would be sent
      if (event.ctrlKey || event.metaKey) return
      event.stopPropagation()
      this.#takeWhatStands()
    } else if (event.key === "Tab" && !event.shiftKey && (input.value.trim() || this.#marked >= 0)) {
      event.preventDefault()
      this.#takeWhatStands()
    } else if (event.key === "Escape" && this.#isOpen) {
      event.preventDefault()
      event.stopPropagation()
      this.#close()
    } else if (["Backspace", "ArrowLeft"].includes(event.key) && input.selectionEnd === 0 && this.#chips.length) {
      event.preventDefault()
      this.#chips.at(-1).querySelector("button").focus()
    }
  }

  #typed() {
    const people = readAddresses(this.#input.value)
    if (/[,;]\s*$/.test(this.#input.value) && people.length && (this.#input.value.split('"').length % 2)) {
      this.#addAll(people)
      this.#input.value = ""
    }
    this.#askSoon()
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
    this.#asking?.abort()
    clearTimeout(this.#timer)
    if (!this.#input.value.trim()) return

    this.#addAll(readAddresses(this.#input.value))
    this.#input.value = ""
  }

  #takeWhatStands() {
    const option = this.#options[this.#marked]
    if (option) return this.#take(option)

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

  #onChip(event) {
    const chip = event.target.closest(".token")
    if (!chip) return

    const beside = { ArrowLeft: chip.previousElementSibling, ArrowRight: chip.nextElementSibling }[event.key]
    if (beside?.matches(".token")) beside.querySelector("button").focus()
    else if (event.key === "ArrowRight" || event.key === "End") this.#input.focus()
    else if (event.key === "Home") this.#chips[0].querySelector("button").focus()
    else if (event.key === "Backspace" || event.key === "Delete") this.#remove(chip, event.key === "Backspace")
    else return
    event.preventDefault()
  }

  #remove(chip, backwards = false) {
    const chips = this.#chips
    const at = chips.indexOf(chip)
    const next = chips[backwards ? at - 1 : at + 1] ?? chips[at + 1]
    const name = chip.querySelector(".token__name").textContent
    chip.remove()
    ;(next?.querySelector("button") ?? this.#input).focus()
    this.#changed(this.dataset.gone.replace("%(name)s", name))
  }

  #addAll(people) {
    const there = new Set(this.people.map((person) => person.address.toLowerCase()))
    const added = []
    for (const person of people) {
      if (there.has(person.address.toLowerCase())) continue
      there.add(person.address.toLowerCase())
      this.#input.before(this.#chip(person))
      added.push(person.name || person.address)
    }
    if (added.length) this.#changed(this.dataset.taken.replace("%(name)s", added.join(", ")))
  }

  #chip({ name, address }) {
    const reason = this.#wrong(address)
    const chip = document.createElement("span")
    chip.className = reason ? "token token--bad" : "token"
    chip.title = chip.dataset.address = address
    if (reason) chip.dataset.reason = reason
    const label = document.createElement("label")
    const box = Object.assign(document.createElement("input"), {
      type: "checkbox", name: this.dataset.name, value: written(name, address), checked: true, tabIndex: -1,
    })
    box.dataset.keep = ""
    const shown = Object.assign(document.createElement("span"), { className: "token__name truncate", textContent: name || address })
    label.append(box, shown)
    chip.append(label)
    if (name) chip.append(Object.assign(document.createElement("small"), { className: "token__address", textContent: address }))
    const remove = Object.assign(document.createElement("button"), { type: "button", tabIndex: -1 })
    remove.setAttribute("aria-label", `${this.dataset.remove} ${name ? `${name}, ${address}` : address}${reason ? `: ${reason}` : ""}`)
    remove.innerHTML = this.closest("recipient-line").querySelector("template").innerHTML
    chip.append(remove)
    return chip
  }

  // What the server would say; it has the last word when the mail is sent.
  #wrong(address) {
    const local = address.slice(0, address.lastIndexOf("@"))
    const words = /[^\x00-\x7f]/.test(local) && address.includes("@") ? this.dataset.letters : this.dataset.bad
    const fine = /^[^\s@<>(),;:"\\[\]]+@[^\s@<>(),;:"\\]+$/.test(address) && /^[\x00-\x7f]+$/.test(local)
    return fine ? "" : words.replace("%(address)s", address)
  }

  #changed(said) {
    const reasons = this.#chips.map((chip) => chip.dataset.reason).filter(Boolean)
    this.#error.textContent = reasons.join(" ")
    this.#input.toggleAttribute("aria-invalid", reasons.length > 0)
    if (reasons.length) this.#input.setAttribute("aria-invalid", "true")
    document.dispatchEvent(new CustomEvent("announce", { detail: { items: [{ text: [said, ...reasons].join(". ") }] } }))
    this.dispatchEvent(new CustomEvent("recipients:changed", { bubbles: true }))
    this.#input.dispatchEvent(new Event("change", { bubbles: true }))
  }

  // The suggestions

  get #isOpen() { return this.#menu.matches(":popover-open") }

  #askSoon(pause = PAUSE) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#ask(), pause)
  }

  async #ask() {
    this.#asking?.abort()
    this.#asking = new AbortController()
    const url = new URL(this.dataset.url, location)
    url.searchParams.set("q", this.#input.value.trim())
    try {
      const answer = await fetch(url, { signal: this.#asking.signal, headers: { Accept: "application/json" } })
      if (!answer.ok || answer.redirected) return this.#close()
      this.#show((await answer.json()).results)
    } catch (error) {
      // Without suggestions one types the whole address.
      if (error.name !== "AbortError") this.#close()
    }
  }

  #show(results) {
    const named = new Set([...document.querySelectorAll("recipient-field .token")].map((chip) => chip.dataset.address.toLowerCase()))
    const people = results.filter((person) => !named.has(person.address.toLowerCase()))
    if (!people.length || document.activeElement !== this.#input) return this.#close()

    this.#menu.replaceChildren(...people.map((person, at) => this.#option(person, at)))
    // For nothing typed nobody is meant yet.
    this.#mark(this.#input.value.trim() ? 0 : -1)
    if (!this.#isOpen) this.#menu.showPopover({ source: this.#input })
    this.#place()
    this.#input.setAttribute("aria-expanded", "true")
    document.dispatchEvent(new CustomEvent("announce", { detail: { items: [{ text: this.dataset.found.replace("%(count)s", people.length) }] } }))
  }

  #option({ name, address, detail }, at) {
    const option = document.createElement("div")
    option.className = "menu__item"
    option.id = `${this.#menu.id}-${at}`
    option.setAttribute("role", "option")
    option.dataset.personName = name
    option.dataset.address = address
    const who = Object.assign(document.createElement("span"), { className: "truncate", textContent: name || address })
    const more = [name ? address : "", detail].filter(Boolean).join(" · ")
    if (more) who.append(Object.assign(document.createElement("small"), { className: "truncate", textContent: more }))
    option.append(who)
    return option
  }

  #mark(at) {
    this.#marked = at
    this.#options.forEach((option, place) => option.setAttribute("aria-selected", place === at))
    const option = this.#options[at]
    if (option) {
      this.#input.setAttribute("aria-activedescendant", option.id)
      option.scrollIntoView({ block: "nearest" })
    } else this.#input.removeAttribute("aria-activedescendant")
  }

  #close() {
    this.#marked = -1
    if (this.#isOpen) this.#menu.hidePopover()
    this.#menu.replaceChildren()
    this.#input.setAttribute("aria-expanded", "false")
    this.#input.removeAttribute("aria-activedescendant")
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
