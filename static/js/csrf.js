// What the server wants to see with everything that changes something. The cookie says which one counts now: it is another
// one after signing in again, in whichever tab. The page has the one that it was printed with, and keeps to it when it is
// somebody else who signed in: then it is refused, or what one person wrote would be sent by the other.
export function csrfToken() {
  const user = document.documentElement.dataset.user
  const mine = !user || (cookie("desk-user") ?? user) === user
  return (mine && cookie("csrftoken")) || (document.querySelector("[name='csrfmiddlewaretoken']")?.defaultValue ?? "")
}

function cookie(name) {
  return new RegExp(`(?:^|; )${name}=([^;]+)`).exec(document.cookie)?.[1]
}
