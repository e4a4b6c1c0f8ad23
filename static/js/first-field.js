// Where one begins in a form that has come: at what is wrong in it, where the page says, else at its first field.
export function focusFirstField(place) {
  const invalid = place.querySelector("[aria-invalid='true']")
  const asked = place.querySelector("[autofocus]")
  const first = place.querySelector(".panel__body :is(input:not([type=hidden]), select, textarea, button)")
  ;(invalid ?? asked ?? first)?.focus()
}
