// Chips before or above a field in which one types (.token, see token.css): from the beginning of the field Backspace and the
// left arrow go in to them; there the arrows, Home and End walk, Delete and Backspace take one away.
//   new Tokens({ host, field: () => element, back(): focus to the field, removed(name) })
export class Tokens {
  #own

  constructor(own) {
    this.#own = own
  }

  get all() { return [...this.#own.host.querySelectorAll(".token")] }

  takes(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false
    const took = event.target === this.#own.field() ? this.#enter(event) : this.#walk(event)
    if (took) event.preventDefault()
    return took
  }

  remove(token, { backwards = false } = {}) {
    const tokens = this.all
    const at = tokens.indexOf(token)
    const next = tokens[backwards ? at - 1 : at + 1] ?? tokens[at + 1]
    token.remove()
    if (next) focus(next)
    else this.#own.back()
    this.#own.removed(nameOf(token))
  }

  #enter({ key, target }) {
    const last = this.all.at(-1)
    if (!last || !["Backspace", "ArrowLeft"].includes(key) || target.selectionEnd !== 0) return false
    focus(last)
    return true
  }

  #walk({ key, target }) {
    const token = target.closest(".token")
    if (!token) return false
    const tokens = this.all
    const beside = { ArrowLeft: tokens[tokens.indexOf(token) - 1], ArrowRight: tokens[tokens.indexOf(token) + 1], Home: tokens[0] }[key]
    if (beside) focus(beside)
    else if (key === "ArrowRight" || key === "End") this.#own.back()
    else if (key === "Backspace" || key === "Delete") this.remove(token, { backwards: key === "Backspace" })
    else return false
    return true
  }
}

export function nameOf(token) {
  return token.querySelector(".token__name").textContent
}

function focus(token) {
  token.querySelector(".token__remove").focus()
}
