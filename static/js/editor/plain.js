// Between plain text, what stands on the surface, and what is sent.

// Plain text as the editor would have it: a paragraph between empty lines, a break at every other line end.
export function paragraphs(text) {
  const holder = document.createElement("div")
  for (const part of text.replace(/\r\n?/g, "\n").trim().split(/\n\s*\n/)) {
    const paragraph = document.createElement("p")
    part.split("\n").forEach((line, at) => paragraph.append(...(at ? [document.createElement("br"), line] : [line])))
    holder.append(paragraph)
  }
  return holder.innerHTML
}

// What stands in the two fields of an editor that is not open yet, as HTML: what the server printed, and below it what
// was typed meanwhile. The end of that stays as it is, since one is still typing there.
export function begun(html, plain) {
  const typed = typedMeanwhile(plain)
  if (!html.value) return typed ? growing(typed) : plain.value.trim() ? paragraphs(plain.value) : ""
  return html.value + (typed.trim() ? growing(typed) : "")
}

export function typedMeanwhile(plain) {
  return plain.value === plain.defaultValue ? "" : plain.value
}

function growing(text) {
  const [rest] = /\s*$/.exec(text)
  const lines = rest.split("\n").length - 1
  const spaces = "\u00a0".repeat(rest.length - rest.lastIndexOf("\n") - 1)
  const html = text.trim() ? paragraphs(text) : ""
  if (lines) return html + "<p><br></p>"
  return html.replace(/<\/p>$/, `${spaces}</p>`)
}

const RIGHT_TO_LEFT = /^[^\p{L}]*[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u

// The HTML to send: without what is only for the eye of whoever writes.
export function sendable(root) {
  const copy = root.cloneNode(true)
  copy.querySelector(".squire-image-resize-container")?.remove()
  for (const image of copy.querySelectorAll("img:not([src]), img[src^='blob:']")) image.remove()
  for (const filled of copy.querySelectorAll("[data-filled]")) filled.replaceWith(...filled.childNodes)
  // A mail program asks each paragraph which way it runs, where the editor looks at its words.
  for (const block of copy.querySelectorAll("p, li, td, th, blockquote, h1, h2, h3, h4")) {
    // A break at the end holds the caret, and nothing else.
    if (block.lastChild?.nodeName === "BR" && block.textContent.trim()) block.lastChild.remove()
    if (!block.hasAttribute("dir") && RIGHT_TO_LEFT.test(block.textContent)) block.setAttribute("dir", "rtl")
  }
  return withoutEndingLines(copy.innerHTML.replace(/\u200B/g, ""))
}

// Squire keeps an empty line after a list, a quote or a table, so that one can write on below it.
function withoutEndingLines(html) {
  return html.replace(/(?:<(p|div)><br><\/\1>)+$/, "")
}
