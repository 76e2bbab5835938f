"""Whether a page is fit for everybody: told by axe, in every colour scheme and width.

And whether everything stands in its card, which axe does not tell.
"""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, ViewportSize

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL: dict[str, object] = {"type": "tag", "values": RULES}
# What a colour scheme can spoil; everything else is the same document in the dark.
COLOURS: dict[str, object] = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}

# What reaches beyond the card that it stands in, and is neither scrolled to nor cut off on purpose.
SPILLS = """() => [...document.querySelectorAll(".card")].flatMap((card) => {
  const room = card.getBoundingClientRect();
  const cuts = (part) => getComputedStyle(part).overflowX !== "visible";
  const isCut = (part) => part !== card && (cuts(part) || isCut(part.parentElement));
  return [...card.querySelectorAll(":not(.vh, .vh *, svg *)")].filter((part) => {
    const { left, right, width, height } = part.getBoundingClientRect();
    const spills = left < room.left - 1 || right > room.right + 1;
    return width && height && spills && !isCut(part.parentElement);
  }).map((part) => part.outerHTML.slice(0, 120));
})"""

DESKTOP, PHONE = ViewportSize(width=1440, height=900), ViewportSize(width=360, height=740)


def faults(page: Page) -> list[str]:
    """What is wrong with the page, wide and narrow, in the light and in the dark."""
    found = []
    if (number := page.locator("h1").count()) != 1:
        found.append(f"{number} headings of the first level")
    if not page.title().removesuffix("Revampd").strip(" ·"):
        found.append("no title")
    page.evaluate(AXE_SCRIPT)
    found += [f"wide, light: {fault}" for fault in violations(page, ALL)]
    found += [f"wide: out of its card: {part}" for part in page.evaluate(SPILLS)]
    page.emulate_media(color_scheme="dark")
    found += [f"wide, dark: {fault}" for fault in violations(page, COLOURS)]
    page.set_viewport_size(PHONE)
    found += [f"narrow, dark: {fault}" for fault in violations(page, COLOURS)]
    page.emulate_media(color_scheme="light")
    found += [f"narrow, light: {fault}" for fault in violations(page, ALL)]
    found += [f"narrow: out of its card: {part}" for part in page.evaluate(SPILLS)]
    too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*found, *([f"scrolls sideways by {too_wide} px"] if too_wide > 0 else [])]


def violations(page: Page, rules: dict[str, object]) -> list[str]:
    # To read sheets that import others, as the admin's do, axe writes styles into the page, which
    # our content policy refuses and the console tells. No sheet of ours asks for an orientation.
    options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
    found = page.evaluate("async (options) => (await axe.run(options)).violations", options)
    return [
        f"{violation['id']}: {node['html']} ({node['failureSummary']})"
        for violation in found
        for node in violation["nodes"]
    ]
