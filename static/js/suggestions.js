// What the desk suggests while one types: asked when one stops, and an older answer never comes after a newer one.
//   new Suggestions({ url(): string | URL, show(results) }); `results` is undefined when there was no answer.
const PAUSE = 120
const ANSWERS_WITHIN = 5_000

export class Suggestions {
  #own
  #timer
  #asking
  #awaited

  constructor(own) {
    this.#own = own
  }

  // While an answer is on its way: a promise of whether it came, false when something else was asked or none is wanted.
  get pending() { return this.#awaited?.promise }

  ask(pause = PAUSE) {
    this.stop()
    this.#awaited = promised()
    this.#timer = setTimeout(() => this.#ask(), pause)
  }

  stop() {
    clearTimeout(this.#timer)
    this.#asking?.abort()
    this.#awaited?.resolve(false)
    this.#awaited = undefined
  }

  async #ask() {
    const { signal } = (this.#asking = new AbortController())
    const waits = AbortSignal.any([signal, AbortSignal.timeout(ANSWERS_WITHIN)])
    let results
    try {
      const answer = await fetch(this.#own.url(), { signal: waits, headers: { Accept: "application/json" } })
      if (answer.ok && !answer.redirected) results = (await answer.json()).results
    } catch {
      // The desk is away, or the answer is not wanted any more.
    }
    if (signal.aborted) return
    const awaited = this.#awaited
    this.#awaited = undefined
    this.#own.show(results)
    awaited.resolve(true)
  }
}

function promised() {
  const made = {}
  made.promise = new Promise((resolve) => (made.resolve = resolve))
  return made
}
