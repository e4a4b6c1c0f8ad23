// <live-times data-now="now" data-minutes="%nm" data-hours="%nh">: keeps the short times of the page true while one
// reads: "now", "22m", "3h". Beyond twelve hours the server's words stand, which do not age.
const MINUTE = 60_000

class LiveTimes extends HTMLElement {
  #timer

  connectedCallback() {
    this.#timer = setInterval(() => this.#tell(), MINUTE / 2)
  }

  disconnectedCallback() {
    clearInterval(this.#timer)
  }

  #tell() {
    const { now, minutes, hours } = this.dataset
    for (const time of document.querySelectorAll("time[datetime]:has(> [aria-hidden])")) {
      const age = Math.floor((Date.now() - new Date(time.dateTime)) / MINUTE)
      if (!(age >= 0 && age < 12 * 60)) continue

      const words = age < 1 ? now : age < 60 ? minutes.replace("%n", age) : hours.replace("%n", Math.floor(age / 60))
      const shown = time.querySelector("[aria-hidden]")
      if (shown.textContent !== words) shown.textContent = words
    }
  }
}
customElements.define("live-times", LiveTimes)
