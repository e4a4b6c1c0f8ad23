// A fragment that was answered by the sign-in page: the session is over. Load the page again, which leads there and back.
document.addEventListener("htmx:before:response", (event) => {
  const signIn = document.querySelector("meta[name='sign-in']")?.content
  const { redirected, url } = event.detail.ctx.response.raw
  if (!signIn || !redirected || new URL(url).pathname !== signIn) return

  event.preventDefault()
  location.reload()
})
