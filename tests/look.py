"""`make look`: pictures of five pages of the site, as a desktop and a phone show them, in light and in dark.

Look at them after a change of the theme or of how pages are written; they are in out/site. Others are taken by name:
`python -m tests.look how-to/scale-out performance/index`.
"""

from __future__ import annotations

import sys

from tests.browser import chromium, screenshot, served
from tests.pages import ROOT

PAGES = ["index", "tutorial", "coming-from-jax", "conventions", "reference/linalg"]
# Name, width, height, dark.
WINDOWS = [("desktop", 1280, 1600, False), ("phone", 390, 1600, False), ("phone-dark", 390, 1600, True)]


def main(pages: list[str]) -> None:
    if chromium() is None:
        sys.exit("look: Chromium is not installed (on Debian: apt-get install chromium)")
    folder = ROOT / "out" / "site"
    folder.mkdir(parents=True, exist_ok=True)
    with served(ROOT / "docs" / "_build" / "html") as address:
        for page in pages or PAGES:
            for name, width, height, dark in WINDOWS:
                file = folder / f"{page.replace('/', '-')}-{name}.png"
                screenshot(f"{address}/{page}.html", file, width, height, dark=dark)
                print(file.relative_to(ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
