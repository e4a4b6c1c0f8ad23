// What is true of every request: the session that the page was printed for may be over by now, or another one.
import { csrfToken } from "./csrf.js";
import { leadsToSignIn, wasSignedOut } from "./live/signed-out.js";

// Django looks at the field of a form first, which is as old as the page.
document.addEventListener("htmx:config:request", ({ detail: { ctx: { request } } }) => {
  request.body?.delete("csrfmiddlewaretoken")
  if (request.method !== "GET") request.headers["X-CSRFToken"] = csrfToken()
})

document.addEventListener("submit", ({ target }) => {
  const field = target.elements.csrfmiddlewaretoken
  if (field) field.value = csrfToken()
}, true)

// A fragment that was answered by the sign-in page: the session is over. Load the page again, which leads there and back,
// unless somebody writes in it: then it stays, and <live-stream> says how to go on.
document.addEventListener("htmx:before:response", (event) => {
  if (!leadsToSignIn(event.detail.ctx.response)) return
  if (isWriting()) wasSignedOut(event)
  else if (!event.detail.ctx.response.headers.has("HX-Redirect")) {
    event.preventDefault()
    location.reload()
  }
})

// Forms that somebody has begun to fill in and that have not arrived.
const begun = new Set()

for (const type of ["input", "change"]) document.addEventListener(type, ({ target }) => {
  const form = target.form ?? target.closest("form")
  if (form?.method === "post") begun.add(form)
}, true)

document.addEventListener("htmx:after:request", ({ detail: { ctx: { request, response } } }) => {
  if (response.status < 300 && request.method !== "GET") begun.delete(request.form)
})

function isWriting() {
  for (const form of begun) if (!form.isConnected) begun.delete(form)
  return begun.size > 0
}
