// What a draft's fields say, as [name, value] pairs, and what a person does to them.
const BY_HAND = new Set(["input", "change", "click", "keydown", "drop", "paste"])
const MOVES_ON = new Set(["Tab", "Escape", "Shift", "Control", "Alt", "Meta"])

// Of the form as it was printed: a text that is taken up again has its own.
export const OF_THE_TEXT = ["form_key", "begun_after"]

export function text(fields) {
  return JSON.stringify(fields.toSorted(([one], [other]) => one.localeCompare(other)))
}

export function isBody(name) {
  return name === "html" || name === "text"
}

// What is neither the text nor of it.
export function apart(fields) {
  return fields.filter(([name]) => !isBody(name) && !OF_THE_TEXT.includes(name))
}

// As the server sees it: no word, picture or file that somebody would miss, and no forward that goes to somebody.
export function isEmpty(fields) {
  const has = (name) => fields.some(([each, value]) => each === name && value.trim())
  const { html = "", text: plain = "", kind } = Object.fromEntries(fields)
  const { body } = new DOMParser().parseFromString(html, "text/html")
  const isBlank = !body.textContent.trim() && !body.querySelector("img, hr") && !plain.trim()
  return isBlank && !has("upload") && !(kind === "forward" && has("to"))
}

// Not that one merely came here, or looked around.
export function isByHand({ type, target, key, isTrusted }) {
  if (!isTrusted || !BY_HAND.has(type) || MOVES_ON.has(key)) return false
  return type !== "click" || !target.closest?.(".editor, textarea")
}

// A person came or went, or another sender was chosen; not that one merely looked.
export function changesHead({ type, target }) {
  if (!target.closest?.("#composer-head, .attachments, .composer__kept")) return false
  return ["input", "change"].includes(type) || Boolean(target.closest(".token__remove, [hx-post], [data-remove]"))
}
