// One unsent text: saved on the server one save at a time, the newest last, and kept in this browser until it is there.
// It outlives the editor it stands in: a ticket that is left is still saved, and the editor that comes next waits for that.
import { csrfToken } from "../csrf.js";

const SLOWEST = 10_000
const NOT_SAVED_YET = 3_000 // is told then, whatever becomes of it
const RETRY = [2_000, 5_000, 15_000, 30_000]
const KEEPALIVE_MOST = 60_000 // a browser takes no more along when its page goes away
const MOST_ON_THE_WAY = 4
const tab = Math.random().toString(36).slice(2)
const drafts = new Map()

// Fires "change" when its state does: "" | "saving" | "saved" | "failed" | "signed-out" | "refused" | "newer" | "sent".
export class Draft extends EventTarget {
  state = ""
  told = {} // what the server said with it
  version = 0
  #key
  #url
  #next // what is to be saved when the save on its way has come back
  #going
  #tries = 0
  #timer
  #onTheWay = [] // bodies that were sent and never confirmed: the server may have them all the same
  #forgotten = 0
  #isFresh = true // nothing was taken up in this page yet

  static of(key, url) {
    if (!drafts.has(key)) drafts.set(key, new Draft(key, url))
    return drafts.get(key)
  }

  constructor(key, url) {
    super()
    this.#key = `draft:${key}:`
    this.#url = url
  }

  get isBusy() { return Boolean(this.#going || this.#next) }

  // Whether saving again would help nobody until a person has decided.
  get isStuck() { return this.state === "newer" || this.state === "sent" }

  // Fields of the form: [[name, value], …].
  save(fields) {
    this.#next = fields
    this.#keepHere(fields)
    if (!this.isStuck) this.#run()
  }

  // The page goes away: what can be sent is, the rest stays in this browser.
  flush(fields) {
    this.#keepHere(fields, { isLeft: true })
    if (this.isStuck) return

    const body = this.#body(fields)
    this.#sends(fields)
    if (new Blob(fields.flat()).size < KEEPALIVE_MOST) {
      fetch(this.#url, { method: "POST", body, headers: { "X-CSRFToken": csrfToken() }, keepalive: true }).catch(() => {})
    }
  }

  // When everything is saved, or can be no further.
  async settled(within = SLOWEST) {
    const end = Date.now() + within
    while (this.#going && Date.now() < end) {
      await Promise.race([this.#going, new Promise((resolve) => setTimeout(resolve, end - Date.now()))])
    }
  }

  // Ours is wanted after all, over the version that the server has, or over one of those that were on their way there.
  insist(version, fields, onTheWay = []) {
    this.version = version
    this.#onTheWay = [...onTheWay]
    this.#become("")
    this.save(fields)
  }

  retry() {
    if (this.#next && !this.#going && ["failed", "signed-out"].includes(this.state)) this.#run()
  }

  // It was sent, or another text was taken instead.
  forget() {
    clearTimeout(this.#timer)
    this.#forgotten += 1
    this.#next = undefined
    this.#onTheWay = []
    this.#dropHere(this.#key + tab)
    this.#become("")
  }

  // The server printed this version, so nothing older is going on.
  begin(version) {
    if (this.isBusy) return
    this.version = version
    this.#become("")
  }

  // What the server never confirmed, the newest of it, is this page's from now on: { fields, version, onTheWay }.
  takeUp() {
    if (this.isBusy && this.#next) return { fields: this.#next, version: this.version, onTheWay: this.#onTheWay }
    const mine = this.#key + tab
    // A page that crashed could not say that it goes. So what is not marked is taken once; later it is another tab's.
    const isFree = ({ name, fields, isLeft }) => fields && (name === mine || isLeft || this.#isFresh)
    const found = this.#names().map((name) => ({ name, ...parsed(localStorage.getItem(name)) })).filter(isFree)
    this.#isFresh = false
    const [newest] = found.sort((one, other) => other.at - one.at)
    if (!newest || newest.name === mine) return newest

    this.#keepHere(newest.fields, { version: newest.version, onTheWay: newest.onTheWay })
    this.#dropHere(newest.name)
    return newest
  }

  #run() {
    if (this.#going) return
    clearTimeout(this.#timer)
    this.#going = this.#send(this.#next).finally(() => {
      this.#going = undefined
      if (this.#next && this.state === "saving") this.#run()
      else if (this.#next && this.state === "failed") this.#timer = setTimeout(() => this.#run(), this.#pause())
    })
  }

  async #send(fields) {
    this.#become("saving")
    const age = this.#forgotten
    const late = setTimeout(() => age === this.#forgotten && this.#become("failed"), NOT_SAVED_YET)
    const answer = await this.#ask(fields)
    clearTimeout(late)
    if (age !== this.#forgotten) return
    if (answer.state === "saved") {
      this.#tries = 0
      this.#onTheWay = []
      this.version = answer.told.version
      if (this.#next === fields) this.#next = undefined
      if (this.#next) this.#keepHere(this.#next)
      else this.#dropHere(this.#key + tab)
      this.#become(this.#next ? "saving" : "saved", answer.told)
    } else {
      this.#next ??= fields
      this.#become(answer.state, answer.told)
    }
  }

  async #ask(fields) {
    this.#sends(fields)
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        body: this.#body(fields),
        headers: { "X-CSRFToken": csrfToken() },
        signal: AbortSignal.timeout(SLOWEST),
      })
      if (isSignIn(response)) return { state: "signed-out" }
      if (response.status === 403 || response.status === 404) return { state: "refused" }
      const told = await response.json()
      if (response.status === 409 && told.sent) return { state: "sent", told: told.sent }
      if (response.status === 409) return this.#isOurs(told.newer) ? await this.#ask(fields) : { state: "newer", told: told.newer }
      return response.ok ? { state: "saved", told } : { state: "failed" }
    } catch {
      return { state: "failed" }
    }
  }

  #sends(fields) {
    this.#onTheWay = [...this.#onTheWay, bodyOf(Object.fromEntries(fields))].slice(-MOST_ON_THE_WAY)
  }

  // What the server has is an earlier text of this page, whose confirmation was lost: a page left, a line broke.
  #isOurs(newer) {
    if (newer.version === this.version || !this.#onTheWay.slice(0, -1).includes(bodyOf(newer))) return false
    this.version = newer.version
    return true
  }

  #body(fields) {
    const body = new FormData()
    for (const [name, value] of fields) body.append(name, value)
    body.set("draft_version", this.version)
    return body
  }

  #pause() {
    return RETRY[Math.min(this.#tries++, RETRY.length - 1)]
  }

  #become(state, told = {}) {
    this.told = told
    this.state = state
    this.dispatchEvent(new Event("change"))
  }

  #keepHere(fields, { version = this.version, onTheWay = this.#onTheWay, isLeft = false } = {}) {
    try {
      const kept = { fields, version, onTheWay, isLeft, at: Date.now() }
      localStorage.setItem(this.#key + tab, JSON.stringify(kept))
    } catch {
      // Full or forbidden: the text is still in the page.
    }
  }

  #dropHere(name) {
    try {
      localStorage.removeItem(name)
    } catch {
      // Nothing was kept then.
    }
  }

  #names() {
    try {
      return Object.keys(localStorage).filter((name) => name.startsWith(this.#key))
    } catch {
      return []
    }
  }
}

function isSignIn({ redirected, url }) {
  return redirected && new URL(url).pathname === document.querySelector("meta[name='sign-in']")?.content
}

// As the server keeps it: line ends are one sign there.
function bodyOf({ html = "", text = "" }) {
  return JSON.stringify([html, text].map((part) => part.replaceAll("\r\n", "\n")))
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
