// One open request to /events/, made anew when it breaks. By fetch and not by EventSource, which tells neither the
// status of a refusal nor the server's pings: a connection that is dead and does not know it is found by their absence.
const SILENCE = 40_000 // the server says something every 15 seconds
const PAUSES = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000]
const GOOD_AFTER = 10_000
const NO_STREAM_HERE = 5 * 60_000

// hear(kind, detail) for each event, and for what happens to the stream itself: "pinged", "broken", "none", "out".
export class EventStream {
  #url
  #hear
  #request
  #tries = 0
  #wake
  #isStopped = false

  constructor(url, hear) {
    this.#url = url
    this.#hear = hear
    this.#run()
  }

  stop() {
    this.#isStopped = true
    this.#request?.abort()
    this.#wake?.()
  }

  // The network is back, or somebody looks again: no more waiting.
  hurry() { this.#wake?.() }

  async #run() {
    while (!this.#isStopped) {
      const begun = Date.now()
      const how = await this.#once()
      if (this.#isStopped) return
      if (how === "out") return this.#hear("out", {})

      this.#hear(how === "none" ? "none" : "broken", {})
      if (Date.now() - begun > GOOD_AFTER) this.#tries = 0
      await this.#rest(how)
    }
  }

  async #once() {
    this.#request = new AbortController()
    let watch = setTimeout(() => this.#request.abort(), SILENCE)
    try {
      const response = await fetch(this.#url, {
        headers: { Accept: "text/event-stream" }, cache: "no-store", signal: this.#request.signal,
      })
      if (response.status === 401 || response.status === 403) return "out"
      // No streams here, or too many tabs of one person with one each: there is the slow poll.
      if ([204, 404, 429].includes(response.status)) return "none"
      if (!response.ok || !response.body) return "broken"

      let text = ""
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return "over"
        clearTimeout(watch)
        watch = setTimeout(() => this.#request.abort(), SILENCE)
        const events = (text + value).split("\n\n")
        text = events.pop()
        for (const event of events) this.#tell(event)
      }
    } catch {
      return "broken"
    } finally {
      clearTimeout(watch)
    }
  }

  #tell(event) {
    const kind = /^event: (.+)$/m.exec(event)?.[1]
    const data = /^data: (.+)$/m.exec(event)?.[1]
    this.#hear(kind ?? "pinged", data ? JSON.parse(data) : {})
  }

  // Not all browsers at once, when a server comes back. A stream that the server ended in peace is asked for soon.
  #rest(how) {
    const longest = how === "none" ? NO_STREAM_HERE : how === "over" && !this.#tries ? 500 : PAUSES[Math.min(this.#tries, PAUSES.length - 1)]
    this.#tries += 1
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, longest * (0.5 + Math.random() / 2))
      this.#wake = () => { clearTimeout(timer); resolve() }
    })
  }
}
