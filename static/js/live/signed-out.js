// What a page asks for by itself must not take one away from what one writes, when the session has ended meanwhile.
// For "htmx:before:response" of an element that asks by itself: whether that is so; the answer then goes nowhere.
export function wasSignedOut(event) {
  if (!leadsToSignIn(event.detail.ctx.response)) return false

  event.preventDefault()
  event.stopPropagation()
  document.dispatchEvent(new CustomEvent("live:out"))
  return true
}

export function leadsToSignIn({ headers, raw }) {
  const signIn = document.querySelector("meta[name='sign-in']")?.content
  const leads = headers.get("HX-Redirect") ?? (raw.redirected ? raw.url : "")
  return Boolean(signIn && leads && new URL(leads, location.href).pathname === signIn)
}

export function isSignedOut() {
  return document.documentElement.dataset.live === "out"
}
