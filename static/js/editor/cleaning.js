// What HTML may stand on the writing surface: our own, come back from the server or from undo. That of others goes
// through outside.js first. What is sent is cleaned by the server, which has the last word.
import "../../vendor/dompurify/purify.min.js";

// The small one of its package is a plain script, and names itself there.
const { DOMPurify } = globalThis

const FORBIDDEN = "style form input button select option textarea label fieldset dialog video audio source track picture object svg math iframe base meta link"
const SHARED = { USE_PROFILES: { html: true }, FORBID_TAGS: FORBIDDEN.split(" "), ALLOW_ARIA_ATTR: false }
const NAMES = ["id", "name", "contenteditable", "tabindex", "autofocus", "popover", "srcset", "for", "background"]
// Names and classes would meet our own.
const OWN = { ...SHARED, RETURN_DOM_FRAGMENT: true, FORBID_ATTR: [...NAMES, "class"], ALLOW_DATA_ATTR: false, ADD_ATTR: ["data-mention", "data-filled"] }
const FOREIGN = { ...SHARED, RETURN_DOM_FRAGMENT: true, FORBID_ATTR: NAMES, ALLOW_DATA_ATTR: true }

export function clean(html) {
  const fragment = DOMPurify.sanitize(html, OWN)
  for (const element of fragment.querySelectorAll("[style]")) {
    element.style.position = "" // nothing may lie over the page
    element.style.zIndex = ""
    if (!element.getAttribute("style")) element.removeAttribute("style")
  }
  for (const image of fragment.querySelectorAll("img")) if (!mayBeShown(image.getAttribute("src") ?? "")) image.remove()
  return document.importNode(fragment, true)
}

// Without what runs, with what tells its origin (classes, styles), in a document that loads nothing.
export function disarm(html) {
  return DOMPurify.sanitize(html, FOREIGN)
}

// Nothing on the surface asks another server for anything: who looks would be told to whoever wrote.
export function mayBeShown(address) {
  if (/^(blob:|data:image\/(png|jpeg|gif|webp);base64,)/i.test(address)) return true
  return URL.canParse(address, location.href) && new URL(address, location.href).origin === location.origin
}
