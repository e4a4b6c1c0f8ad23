// HTML that other programs put on the clipboard, as our own editor would have made it: paragraphs, lists, tables,
// links and plain emphasis. Fonts, colours and classes stay behind. What each program does differently stands in
// outside-words.js (inside a line) and outside-lists.js (Word's lists are paragraphs that look like lists).
import { disarm } from "./cleaning.js";
import { isListItem, listFrom, listItem, nested } from "./outside-lists.js";
import { isHidden, looks, make, marksOf, saysSomething, wordsIn, wordsOf } from "./outside-words.js";

const BLOCKS = new Set("ADDRESS ARTICLE ASIDE BLOCKQUOTE CAPTION CENTER DD DETAILS DIV DL DT FIGCAPTION FIGURE FOOTER H1 H2 H3 H4 H5 H6 HEADER HR LI MAIN NAV OL P PRE SECTION SUMMARY TABLE TBODY TD TFOOT TH THEAD TR UL".split(" "))
const ANY_BLOCK = [...BLOCKS].join(",").toLowerCase()
const BORDER = "border: 1px solid #b3b3b3; padding: 4px 8px"

export function fromOutside(html) {
  const holder = make("div")
  holder.append(...assembled(pieces(disarm(html))))
  return holder.innerHTML
}

function isBlock(node) {
  return node.nodeType === Node.ELEMENT_NODE && node.nodeName !== "A" && (BLOCKS.has(node.nodeName) || Boolean(node.querySelector(ANY_BLOCK)))
}

// `marks` are those of the blocks around, for all words in them.
// What stands below each other: { line }, { blank }, { paragraph }, { item, level, ordered, start } or { node }.
function pieces(parent, marks = new Set()) {
  const found = []
  let line = []
  const flush = () => {
    if (saysSomething(line)) found.push({ line: emphasised(withoutEnd(line), marks) })
    else if (line.some((node) => node.nodeName === "BR")) found.push({ blank: true })
    line = []
  }
  for (const node of parent.childNodes) {
    if (isHidden(node)) continue
    if (!isBlock(node)) line.push(...wordsOf(node, marks))
    else {
      flush()
      found.push(...piecesOf(node, marks))
    }
  }
  flush()
  return found
}

function piecesOf(node, marks) {
  const name = node.nodeName
  if (name === "HR") return [{ node: make("hr") }]
  if (name === "TABLE") return table(node, marks)
  if (name === "PRE") return [{ node: make("pre", [node.textContent]) }]
  if (name === "BLOCKQUOTE") return wrapped("blockquote", assembled(pieces(node, marks)))
  if (isListItem(node)) return [listItem(node, (item) => emphasised(wordsIn(item, marks), marks))]
  if (name === "UL" || name === "OL") return listFrom(node, (item) => assembled(pieces(item, marks)))

  const within = new Set([...marks, ...marksOf(node, marks)])
  const dir = node.getAttribute("dir")?.toLowerCase() === "rtl" ? "rtl" : ""
  if (node.querySelector(ANY_BLOCK)) return pieces(node, within)

  const isHeading = /^H[1-6]$/.test(name) || /\bMso(Title|Heading)/i.test(node.className)
  if (isHeading) within.add("b")
  const words = emphasised(withoutEnd(wordsIn(node, within)), within)
  const { "margin-top": above, "margin-bottom": below } = looks(node)
  const isLine = !isHeading && (name !== "P" || (parseFloat(above) === 0 && parseFloat(below) === 0))
  if (!saysSomething(words)) return [{ blank: true }]
  return [isLine ? { line: words, dir } : { paragraph: words, dir }]
}

// The end of a block ends its last line too.
function withoutEnd(words) {
  return words.at(-1)?.nodeName === "BR" ? words.slice(0, -1) : words
}

// Breaks stay beside what is emphasised, where they can be told from the ends of paragraphs.
function emphasised(words, marks) {
  if (!marks.size) return words
  const out = []
  let run = []
  const flush = () => {
    const wanted = saysSomething(run) ? [...marks] : []
    out.push(...wanted.reduce((inside, mark) => [make(mark, inside)], run))
    run = []
  }
  for (const node of words) {
    if (node.nodeName === "BR") {
      flush()
      out.push(node)
    } else run.push(node)
  }
  flush()
  return out
}

function wrapped(name, nodes) {
  return nodes.length ? [{ node: make(name, nodes) }] : []
}

// Lines that follow each other are one paragraph, as they look; an empty one ends it.
function assembled(found) {
  const out = []
  let lines = []
  let dir = ""
  const flush = () => {
    out.push(...paragraphs(lines, dir))
    lines = []
  }
  for (let at = 0; at < found.length; at += 1) {
    const piece = found[at]
    if (piece.line) {
      if (lines.length && dir !== (piece.dir ?? "")) flush()
      dir = piece.dir ?? ""
      lines.push(...(lines.length ? [make("br")] : []), ...piece.line)
      continue
    }
    flush()
    if (piece.paragraph) out.push(...paragraphs(piece.paragraph, piece.dir))
    else if (piece.node) out.push(piece.node)
    else if (piece.item) {
      const end = found.findIndex((other, index) => index > at && !other.item)
      const items = found.slice(at, end < 0 ? undefined : end)
      out.push(...nested(items))
      at += items.length - 1
    }
  }
  flush()
  return out
}

// Two breaks in a row are a new paragraph.
function paragraphs(nodes, dir = "") {
  const found = [[]]
  let breaks = 0
  for (const node of nodes) {
    if (node.nodeName === "BR") breaks += 1
    else if (breaks && node.nodeType === Node.TEXT_NODE && !node.data.trim()) continue
    else {
      if (breaks > 1) found.push([])
      else if (breaks && found.at(-1).length) found.at(-1).push(make("br"))
      breaks = 0
      found.at(-1).push(node)
    }
  }
  return found.filter(saysSomething).map((words) => {
    trim(words)
    const paragraph = make("p", words)
    if (dir) paragraph.setAttribute("dir", dir)
    return paragraph
  })
}

function trim(words) {
  for (const [node, edge] of [[words[0], /^[ \t]+/], [words.at(-1), /[ \t]+$/]]) {
    if (node?.nodeType === Node.TEXT_NODE) node.data = node.data.replace(edge, "")
  }
}

// A table of one column, or of tables, lays out a page; others hold data, and keep borders that survive mail programs.
function table(node, marks) {
  const rows = [...node.rows].filter((row) => !isHidden(row) && row.cells.length)
  const lays = node.querySelector("table") || rows.every((row) => row.cells.length < 2)
  if (lays) return rows.flatMap((row) => [...row.cells].flatMap((cell) => pieces(cell, marks)))

  const body = make("tbody", rows.map((row) => make("tr", [...row.cells].filter((one) => !isHidden(one)).map((one) => cell(one, marks)))))
  const made = make("table", [body])
  for (const [name, value] of [["border", "1"], ["cellpadding", "6"], ["cellspacing", "0"], ["style", "border-collapse: collapse"]]) made.setAttribute(name, value)
  return rows.length ? [{ node: made }] : []
}

function cell(from, marks) {
  const content = assembled(pieces(from, new Set([...marks, ...marksOf(from, marks)])))
  const made = make(from.nodeName.toLowerCase(), content.length === 1 && content[0].nodeName === "P" ? [...content[0].childNodes] : content)
  for (const name of ["colspan", "rowspan"]) if (from[name === "colspan" ? "colSpan" : "rowSpan"] > 1) made.setAttribute(name, from.getAttribute(name))
  const align = looks(from)["text-align"] ?? from.getAttribute("align")?.toLowerCase()
  made.setAttribute("style", ["right", "center"].includes(align) ? `${BORDER}; text-align: ${align}` : BORDER)
  return made
}
