// Has a screen reader say something, by the page's <announce-region>.
export function announce(text) {
  document.dispatchEvent(new CustomEvent("announce", { detail: { items: [{ text }] } }))
}
