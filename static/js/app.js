// The little that HTML and htmx do not do by themselves. Every page works without this file.

const REFUSED = [403, 404, 409, 413, 422];
const body = document.body;
const all = (selector) => document.querySelectorAll(selector);
const POLLS = "#bell, #news, #reading, [data-live]";
const polls = (element) => element.matches(POLLS);

// What htmx cannot swap in is told here.

function failed(event) {
  if (polls(event.target)) return;
  const toast = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  toast.querySelector("p").textContent = "That did not work. Nothing was changed. Try again.";
  document.getElementById("flash").replaceChildren(toast);
}
body.addEventListener("htmx:responseError", failed);
body.addEventListener("htmx:sendError", failed);

// After a swap: a refusal takes the focus to its reason; nobody is left where a button has gone.

body.addEventListener("htmx:afterSettle", (event) => {
  const { elt, requestConfig, xhr } = event.detail;
  if (REFUSED.includes(xhr?.status)) {
    elt.querySelector("[data-focus], [aria-invalid=true]")?.focus();
  } else if (document.activeElement === body && elt.closest("main") && !polls(requestConfig.elt)) {
    elt.tabIndex = -1;
    elt.focus({ preventScroll: true });
  }
});

// Busy: said to assistive technology; a second press does nothing. Polls give way to acts, whose
// answers would find their place taken.

body.addEventListener("htmx:beforeRequest", (event) => {
  if (!polls(event.target)) for (const poll of all(POLLS)) htmx.trigger(poll, "htmx:abort");
  else if (document.hidden || all(`[aria-busy=true]:not(${POLLS})`).length) return event.preventDefault();
  event.target.setAttribute("aria-busy", "true");
});
body.addEventListener("htmx:afterRequest", (event) => event.target.removeAttribute("aria-busy"));

addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.matches("[hx-post]") || event.defaultPrevented) return;
  if (form.ariaBusy === "true") event.preventDefault();
  form.ariaBusy = "true";
  // Later: a disabled button would not send its name.
  setTimeout(() => form.querySelectorAll("[type=submit], button:not([type])").forEach((button) => (button.disabled = true)));
});

addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of all("form[aria-busy]")) {
    form.ariaBusy = null;
    form.querySelectorAll(":disabled").forEach((button) => (button.disabled = false));
  }
});

// Files: too much is said before it is sent.

addEventListener("change", ({ target }) => {
  let room = target.dataset.most;
  if (!room) return;
  for (const file of target.files) room -= file.size;
  target.setCustomValidity(room < 0 ? target.dataset.tooMuch : "");
});

// The bell: at once when someone comes back.

document.addEventListener("visibilitychange", () => htmx.trigger(body, "bell:check"));

// Presses: dismiss a message, copy a value, close a menu by pressing beside it.

addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.parentElement.remove();
  const copy = event.target.closest("[data-copy]");
  if (copy) copyValue(copy);
  for (const menu of all("details.switch[open]")) if (!menu.contains(event.target)) menu.open = false;
});

async function copyValue(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 1600);
}

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of all("details.switch[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
