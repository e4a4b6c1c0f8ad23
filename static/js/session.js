// What is true of every request: the session that the page was printed for may be over by now, or another one.
import { csrfToken } from "./csrf.js";

// Django looks at the field of a form first, which is as old as the page.
document.addEventListener("htmx:config:request", ({ detail: { ctx: { request } } }) => {
  request.body?.delete("csrfmiddlewaretoken")
  if (request.method !== "GET") request.headers["X-CSRFToken"] = csrfToken()
})

document.addEventListener("submit", ({ target }) => {
  const field = target.elements.csrfmiddlewaretoken
  if (field) field.value = csrfToken()
}, true)

// A fragment that was answered by the sign-in page: the session is over. Load the page again, which leads there and back.
document.addEventListener("htmx:before:response", (event) => {
  const signIn = document.querySelector("meta[name='sign-in']")?.content
  const { redirected, url } = event.detail.ctx.response.raw
  if (!signIn || !redirected || new URL(url).pathname !== signIn) return

  event.preventDefault()
  location.reload()
})
