// The caret by what stands behind it, which outlives that what stands before it is cut, joined or put there anew.
export function lettersBehind(caret, root) {
  const range = document.createRange()
  range.selectNodeContents(root)
  range.setStart(caret.endContainer, caret.endOffset)
  return range.toString().length
}

export function caretBefore(letters, root) {
  const texts = []
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) texts.push(walker.currentNode)
  const range = document.createRange()
  let left = letters
  for (const text of texts.reverse()) {
    if (left <= text.length) {
      // Behind what was filled in, not in it: what one types next is one's own.
      const filled = left ? null : text.parentNode.closest("[data-filled]")
      if (filled) range.setStartAfter(filled)
      else range.setStart(text, text.length - left)
      return range
    }
    left -= text.length
  }
  range.selectNodeContents(root)
  range.collapse(true)
  return range
}
