// What people type and paste where an address belongs, read as the server reads it (inbox/addressing/typed.py).

// [{ name, address }] of everything between commas, semicolons and line ends.
export function readAddresses(text) {
  return pieces(text).map(split).filter((person) => person.address || person.name)
}

// As a field of the form holds it.
export function written(name, address) {
  const plain = (name ?? "").replaceAll("\\", "").replaceAll('"', "'").trim()
  if (!plain || plain === address) return address

  return /[,;<>@]/.test(plain) ? `"${plain}" <${address}>` : `${plain} <${address}>`
}

function pieces(text) {
  const quotesClose = text.split('"').length % 2 === 1
  const found = []
  let piece = "", quoted = false, bracketed = false
  for (const sign of text) {
    if (sign === '"' && quotesClose) quoted = !quoted
    else if ("<>".includes(sign) && !quoted) bracketed = sign === "<"
    if ("\r\n".includes(sign) || (",;".includes(sign) && !quoted && !bracketed)) {
      found.push(...several(piece))
      piece = ""
      bracketed = false
    } else piece += sign
  }
  return [...found, ...several(piece)]
}

// Bare addresses with only spaces between them are several.
function several(piece) {
  const words = piece.split(/\s+/).filter(Boolean)
  const bare = words.length > 1 && words.every((word) => /[^@]@[^@]/.test(word) && !/[<"]/.test(word))
  return bare ? words : words.length ? [piece.trim()] : []
}

function split(piece) {
  const named = piece.match(/^([^<]*)<([^<>]*)>?\s*$/)
  if (!named) return { name: "", address: bare(piece) }

  return { name: named[1].trim().replace(/^"|"$/g, "").trim(), address: bare(named[2]) }
}

function bare(address) {
  return address.trim().replace(/^mailto:/, "").trim()
}
