// Inside a line: emphasis however it was expressed, links that lead somewhere, pictures that we have.
import { mayBeShown } from "./cleaning.js";

// Elements made here load nothing.
const INERT = document.implementation.createHTMLDocument("")
const TAGS = {
  B: "b", STRONG: "b", I: "i", EM: "i", CITE: "i", VAR: "i", U: "u", INS: "u", S: "s", STRIKE: "s", DEL: "s",
  CODE: "code", KBD: "code", SAMP: "code", TT: "code", SUB: "sub", SUP: "sup",
}

export function make(name, children = []) {
  const element = INERT.createElement(name)
  element.append(...children)
  return element
}

// Declarations as they are written: browsers forget those that they do not know, which are the telling ones.
export function looks(element) {
  const found = {}
  for (const declaration of (element.getAttribute?.("style") ?? "").split(";")) {
    const at = declaration.indexOf(":")
    if (at > 0) found[declaration.slice(0, at).trim().toLowerCase()] = declaration.slice(at + 1).trim().toLowerCase()
  }
  return found
}

export function isHidden(node) {
  if (node.nodeType === Node.TEXT_NODE) return false
  if (node.nodeType !== Node.ELEMENT_NODE) return true
  const { display, "mso-list": list, "mso-hide": hide } = looks(node)
  return display === "none" || list === "ignore" || hide === "all" || node.hasAttribute("hidden")
}

export function marksOf(element, already) {
  const style = looks(element)
  const found = new Set()
  const tag = TAGS[element.nodeName]
  const weight = style["font-weight"]
  const says = { b: !/^(normal|[1-5]00)/.test(weight ?? ""), i: style["font-style"] !== "normal" }
  if (tag && (says[tag] ?? true)) found.add(tag)
  if (/^(bold|[6-9]00)/.test(weight ?? "")) found.add("b")
  if (/^(italic|oblique)/.test(style["font-style"] ?? "")) found.add("i")
  const line = `${style["text-decoration"] ?? ""} ${style["text-decoration-line"] ?? ""}`
  if (line.includes("underline")) found.add("u")
  if (line.includes("line-through")) found.add("s")
  if (element.nodeName === "SPAN" && style["vertical-align"] === "super") found.add("sup")
  if (element.nodeName === "SPAN" && style["vertical-align"] === "sub") found.add("sub")
  if (element.nodeName === "A" || already.has("a")) found.delete("u")
  return [...found].filter((mark) => !already.has(mark))
}

export function wordsIn(parent, marks) {
  return [...parent.childNodes].flatMap((node) => wordsOf(node, marks))
}

export function wordsOf(node, marks) {
  if (node.nodeType === Node.TEXT_NODE) {
    const text = node.data.replace(/[ \t\r\n\f]+/g, " ")
    return text ? [INERT.createTextNode(text)] : []
  }
  if (isHidden(node)) return []
  if (node.nodeName === "BR") return node.className === "Apple-interchange-newline" ? [] : [make("br")]
  if (node.nodeName === "IMG") return picture(node)

  const wanted = marksOf(node, marks)
  const address = node.nodeName === "A" && !marks.has("a") ? target(node.getAttribute("href") ?? "") : ""
  let words = wordsIn(node, new Set([...marks, ...wanted, ...(address ? ["a"] : [])]))
  if (!saysSomething(words)) return words.filter((word) => word.nodeType === Node.TEXT_NODE || word.nodeName === "BR")
  for (const mark of wanted) words = [make(mark, words)]
  if (address) {
    words = [make("a", words)]
    words[0].setAttribute("href", address)
  }
  return words
}

export function saysSomething(nodes) {
  return nodes.some((node) => node.textContent.trim() || node.nodeName === "IMG" || node.querySelector?.("img"))
}

function target(href) {
  if (!URL.canParse(href)) return ""
  const url = new URL(href)
  if (!["http:", "https:", "mailto:", "tel:"].includes(url.protocol)) return ""
  // Google's documents lead over Google.
  const real = /(^|\.)google\.[a-z.]+$/.test(url.hostname) && url.pathname === "/url" ? url.searchParams.get("q") : null
  return real && /^https?:/i.test(real) ? real : href.trim()
}

// Those of other servers are left out: they would tell that one looked. An emoji is a letter again.
function picture(image) {
  const address = image.getAttribute("src") ?? ""
  const alt = image.getAttribute("alt") ?? ""
  const emoji = image.dataset.emoji ?? (/^\p{Extended_Pictographic}/u.test(alt) && alt.length < 13 ? alt : "")
  if (emoji) return [INERT.createTextNode(emoji)]
  const own = URL.canParse(address, location.href) ? new URL(address, location.href) : null
  const isUpload = own?.origin === location.origin && own.pathname.startsWith("/uploads/")
  if (!/^data:image\//i.test(address) && !isUpload) return []
  if (!mayBeShown(address)) return []

  const made = make("img")
  made.setAttribute("src", isUpload ? own.pathname : address)
  made.setAttribute("alt", alt)
  return [made]
}
