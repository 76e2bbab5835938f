// The search over every page: Ctrl K or ⌘ K, arrow keys, Enter. Without this file, its button is a
// link to the page that finds the same.

const palette = document.getElementById("palette");
const input = palette?.querySelector("input");
const chosen = () => palette.querySelector("[aria-selected=true]");

if (palette) {
  const isMac = navigator.platform.startsWith("Mac");
  for (const key of document.querySelectorAll("[data-palette] kbd")) if (isMac) key.textContent = "⌘ K";

  addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    if ((isMac ? metaKey : ctrlKey) && !altKey && !shiftKey && key.toLowerCase() === "k") toggle(event);
  });
  addEventListener("click", (event) => {
    const { target, ctrlKey, metaKey, shiftKey } = event;
    if (target.closest("[data-palette]") && !ctrlKey && !metaKey && !shiftKey) toggle(event);
    if (target === palette || target.closest("#palette [data-close]")) palette.close();
  });
  // A page that one comes back to has nothing lying over it.
  addEventListener("pagehide", () => palette.close());

  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) choose(event, step);
    if (event.key === "Enter" && chosen()) {
      event.preventDefault();
      chosen().click();
    }
  });
  // What was chosen belongs to what was typed before.
  input.addEventListener("input", () => mark(null));
  palette.addEventListener("htmx:afterSwap", () => mark(null));
}

function toggle(event) {
  event.preventDefault();
  if (palette.open) return palette.close();
  palette.showModal();
  input.select();
  input.dispatchEvent(new Event("palette:open"));
}

function choose(event, step) {
  event.preventDefault();
  const options = [...palette.querySelectorAll("[role=option]")];
  const at = options.indexOf(chosen());
  if (options.length) mark(options.at(at < 0 && step < 0 ? -1 : (at + step) % options.length));
}

function mark(option) {
  chosen()?.setAttribute("aria-selected", false);
  option?.setAttribute("aria-selected", true);
  option?.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", option?.id ?? "");
  input.setAttribute("aria-expanded", Boolean(palette.querySelector("[role=option]")));
}
