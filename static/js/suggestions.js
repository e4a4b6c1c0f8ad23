// What the desk suggests while one types: asked when one stops, and an older answer never comes after a newer one.
//   new Suggestions({ url(): string | URL, show(results) }); `results` is undefined when there was no answer.
const PAUSE = 120

export class Suggestions {
  #own
  #timer
  #asking

  constructor(own) {
    this.#own = own
  }

  ask(pause = PAUSE) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#ask(), pause)
  }

  stop() {
    clearTimeout(this.#timer)
    this.#asking?.abort()
  }

  async #ask() {
    this.#asking?.abort()
    const { signal } = (this.#asking = new AbortController())
    let results
    try {
      const answer = await fetch(this.#own.url(), { signal, headers: { Accept: "application/json" } })
      if (answer.ok && !answer.redirected) results = (await answer.json()).results
    } catch {
      // The desk is away, or the answer is not wanted any more.
    }
    if (!signal.aborted) this.#own.show(results)
  }
}
