// Lists as other programs write them. Word's are paragraphs with a level and a drawn mark before them, or one list for
// each item; Google's put a list beside the item that it belongs to.
import { looks, make, saysSomething } from "./outside-words.js";

const LEVEL = /\blevel(\d)\b/
const NUMBERED = /^\(?(\d{1,4}|[a-z]{1,4})[.)]/i

export function isListItem(node) {
  return (node.nodeName === "P" && LEVEL.test(looks(node)["mso-list"] ?? "")) || (node.nodeName === "LI" && !node.closest("ul, ol"))
}

export function listItem(node, words) {
  const mark = [...node.querySelectorAll("[style]")].find((one) => looks(one)["mso-list"] === "ignore")
  const [, number] = NUMBERED.exec(mark?.textContent.trim() ?? "") ?? []
  const level = Number(LEVEL.exec(looks(node)["mso-list"] ?? "")?.[1] ?? 1)
  return { item: words(node), level, ordered: number !== undefined, start: Number(number) || 1 }
}

export function listFrom(list, blocks) {
  const items = [...list.children].filter((one) => one.nodeName === "LI")
  const ordered = list.nodeName === "OL"
  if (items.length && items.every((one) => one.dataset.ariaLevel)) {
    const start = Number(list.getAttribute("start")) || 1
    return items.map((one) => ({ item: loose(blocks(one)), level: Number(one.dataset.ariaLevel) || 1, ordered, start }))
  }
  const made = make(ordered ? "ol" : "ul")
  const start = Number(list.getAttribute("start"))
  if (ordered && start > 1) made.setAttribute("start", start)
  for (const child of list.children) {
    const isList = child.nodeName === "UL" || child.nodeName === "OL"
    const content = isList ? listFrom(child, blocks).flatMap((one) => (one.node ? [one.node] : nested([one]))) : loose(blocks(child))
    if (isList && made.lastElementChild) made.lastElementChild.append(...content)
    else if (saysSomething(content)) made.append(make("li", content))
  }
  return made.children.length ? [{ node: made }] : []
}

// Items with levels become lists in lists.
export function nested(items) {
  const roots = []
  const open = [] // from outside to inside: { list, level }
  for (const { item, level, ordered, start } of items) {
    if (!saysSomething(item)) continue
    while (open.length && open.at(-1).level > level) open.pop()
    if (open.at(-1)?.level === level && (open.at(-1).list.nodeName === "OL") !== ordered) open.pop()
    if (open.at(-1)?.level !== level) {
      const list = make(ordered ? "ol" : "ul")
      if (ordered && start > 1) list.setAttribute("start", start)
      if (open.length) open.at(-1).list.lastElementChild.append(list)
      else roots.push(list)
      open.push({ list, level })
    }
    open.at(-1).list.append(make("li", trimmed(item)))
  }
  return roots
}

// The words of an item stand in it, not in a paragraph of their own, when they are its first.
function loose(content) {
  return content[0]?.nodeName === "P" ? [...content[0].childNodes, ...content.slice(1)] : content
}

function trimmed(words) {
  const first = words.find((word) => word.textContent.trim())
  if (first?.nodeType === Node.TEXT_NODE) first.data = first.data.replace(/^[\s\u00a0]+/, "")
  return words
}
