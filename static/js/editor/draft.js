// One unsent text: saved on the server one save at a time, the newest last, and kept in this browser until it is there.
// It outlives the editor it stands in: a ticket that is left is still saved, and the editor that comes next waits for that.
const SLOWEST = 10_000
const RETRY = [2_000, 5_000, 15_000, 30_000]
const KEEPALIVE_MOST = 60_000 // a browser takes no more along when its page goes away
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
    this.#keepHere(fields)
    if (this.isStuck) return

    const body = this.#body(fields)
    if (new Blob(fields.flat()).size < KEEPALIVE_MOST) {
      fetch(this.#url, { method: "POST", body, headers: { "X-CSRFToken": token() }, keepalive: true }).catch(() => {})
    }
  }

  // When everything is saved, or can be no further.
  async settled(within = SLOWEST) {
    const end = Date.now() + within
    while (this.#going && Date.now() < end) {
      await Promise.race([this.#going, new Promise((resolve) => setTimeout(resolve, end - Date.now()))])
    }
  }

  // Ours is wanted after all, over the version that the server has.
  insist(version, fields) {
    this.version = version
    this.#become("")
    this.save(fields)
  }

  retry() {
    if (this.#next && !this.#going && ["failed", "signed-out"].includes(this.state)) this.#run()
  }

  // It was sent, or another text was taken instead.
  forget() {
    clearTimeout(this.#timer)
    this.#next = undefined
    this.forgetHere()
    this.#become("")
  }

  // What pages that are gone left behind is on the server.
  forgetHere() {
    for (const name of this.#names()) localStorage.removeItem(name)
  }

  // The server printed this version, so nothing older is going on.
  begin(version) {
    if (this.isBusy) return
    this.version = version
    this.#become("")
  }

  // What this browser kept and the server never confirmed: { fields, version } or undefined.
  get kept() {
    const found = this.#names().map((name) => parsed(localStorage.getItem(name))).filter((each) => each?.fields)
    return found.sort((one, other) => other.at - one.at)[0]
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
    const answer = await this.#ask(fields)
    if (answer.state === "saved") {
      this.#tries = 0
      this.version = answer.told.version
      if (this.#next === fields) this.#next = undefined
      if (!this.#next) localStorage.removeItem(this.#key + tab)
      this.#become(this.#next ? "saving" : "saved", answer.told)
    } else {
      this.#next ??= fields
      this.#become(answer.state, answer.told)
    }
  }

  async #ask(fields) {
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        body: this.#body(fields),
        headers: { "X-CSRFToken": token() },
        signal: AbortSignal.timeout(SLOWEST),
      })
      if (isSignIn(response)) return { state: "signed-out" }
      if (response.status === 403 || response.status === 404) return { state: "refused" }
      const told = await response.json()
      if (response.status === 409) return told.sent ? { state: "sent", told: told.sent } : { state: "newer", told: told.newer }
      return response.ok ? { state: "saved", told } : { state: "failed" }
    } catch {
      return { state: "failed" }
    }
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

  #keepHere(fields) {
    try {
      const kept = { fields, version: this.version, at: Date.now() }
      localStorage.setItem(this.#key + tab, JSON.stringify(kept))
    } catch {
      // Full or forbidden: the text is still in the page.
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

// The cookie and not the field of the form: it is another one after signing in again.
function token() {
  return /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? document.querySelector("[name='csrfmiddlewaretoken']")?.value ?? ""
}

function isSignIn({ redirected, url }) {
  return redirected && new URL(url).pathname === document.querySelector("meta[name='sign-in']")?.content
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
