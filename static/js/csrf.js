// What the server wants to see with everything that changes something. The cookie says which one counts now: it is another
// one after signing in again, in whichever tab. The page has the one that it was printed with.
export function csrfToken() {
  return /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? document.querySelector("[name='csrfmiddlewaretoken']")?.value ?? ""
}
