// <command-key>Ctrl</command-key>: the key that is held for a command, as the keyboard of this machine names it.
class CommandKey extends HTMLElement {
  connectedCallback() {
    if (/^(Mac|iP)/.test(navigator.userAgentData?.platform ?? navigator.platform)) this.textContent = "⌘"
  }
}
customElements.define("command-key", CommandKey)
