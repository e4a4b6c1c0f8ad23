// Foreign HTML, pasted or dropped, keeps its looks as far as that is safe here. What is sent is cleaned by the server.
import DOMPurify from "../../vendor/dompurify/purify.js";

const RULES = {
  RETURN_DOM_FRAGMENT: true,
  USE_PROFILES: { html: true },
  FORBID_TAGS: ["style", "form", "input", "button", "select", "option", "textarea", "label", "fieldset", "dialog", "video", "audio", "source", "track"],
  // Names and classes would meet our own.
  FORBID_ATTR: ["id", "name", "class", "contenteditable", "tabindex", "autofocus", "popover", "srcset", "for"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
}

export function clean(html) {
  const fragment = DOMPurify.sanitize(html, RULES)
  for (const element of fragment.querySelectorAll("[style]")) {
    element.style.position = "" // nothing may lie over the page
    element.style.zIndex = ""
    if (!element.getAttribute("style")) element.removeAttribute("style")
  }
  return document.importNode(fragment, true)
}
