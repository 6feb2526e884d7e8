"""The site in a real browser: it fits a phone, its search finds, and no script fails."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser import chromium, run, served

pytestmark = pytest.mark.xdist_group("site")

PHONE = 390

# Loads each page into a frame as wide as a phone, and writes what it finds into the document.
PROBE = """<!doctype html><meta charset="utf-8"><body><script>
const frame = document.body.appendChild(document.createElement("iframe"));
frame.style.cssText = "width: %(width)dpx; height: 844px; border: 0";
const load = (url) => new Promise((done) => { frame.onload = () => done(frame.contentDocument); frame.src = url; });
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
(async () => {
  const found = { wide: {}, results: 0, pages: 0 };
  for (const page of %(pages)s) {
    const root = (await load(page)).documentElement;
    found.pages += root.querySelector("title, h1") ? 1 : 0;
    if (root.scrollWidth > %(width)d) found.wide[page] = root.scrollWidth;
  }
  const search = await load("/search.html?q=cholesky");
  for (let k = 0; k < 100 && !found.results; k++) {
    await wait(50);
    found.results = search.querySelectorAll("#search-results li a").length;
  }
  const result = document.body.appendChild(document.createElement("pre"));
  result.id = "found";
  result.textContent = JSON.stringify(found);
})();
</script>"""


def probe(site: Path, pages: list[str]) -> tuple[dict[str, Any], list[str]]:
    """What the probe finds, and what the pages wrote to the console."""
    (site / "probe.html").write_text(PROBE % {"width": PHONE, "pages": json.dumps(pages)})
    with served(site) as address:
        dom, console = run("--dump-dom", "--virtual-time-budget=600000", f"{address}/probe.html")
    (site / "probe.html").unlink()
    found = re.search(r'<pre id="found">(.*?)</pre>', dom)
    assert found is not None, (dom[-500:], console)
    return json.loads(found[1]), console


@pytest.mark.skipif(chromium() is None, reason="Chromium is not installed, so the site is not seen in a browser")
def test_in_a_browser(site: Path) -> None:
    pages = sorted(f"/{file.relative_to(site)}" for file in site.rglob("*.html") if "_static" not in file.parts)
    broken = site / "broken.html"
    broken.write_text("<h1>x</h1><div style='width: 500px'>x</div><script>missing()</script>")
    try:
        found, console = probe(site, [*pages, "/broken.html"])
    finally:
        broken.unlink()
    assert found["pages"] == len(pages) + 1
    assert found["results"] > 1
    # The probe sees what is wrong, and it is only what was made wrong.
    assert list(found["wide"]) == ["/broken.html"], found["wide"]
    assert len(console) == 1 and "missing is not defined" in console[0], console
