"""How Sphinx builds the site: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

import typedprop

sys.path.insert(0, str(Path(__file__).parent))

project = "typedprop"
author = "typedprop authors"
project_copyright = "typedprop authors"
version = release = typedprop.__version__

extensions = ["myst_parser", "api"]
exclude_patterns = ["_build", "_*"]

nitpicky = True
# Types in signatures: type variables, and classes of other libraries, have no page here.
nitpick_ignore_regex = [("py:class", ".*")]
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
api_modules = [
    f"typedprop{name}"
    for name in (
        "",
        ".linalg",
        ".special",
        ".optim",
        ".scipy",
        ".parallel",
        ".saving",
        ".testing",
        ".errors",
        ".tree",
        ".pytrees",
    )
]

# `conventions.md#lengths` is a link, to the heading of that name.
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"typedprop {release}"
html_static_path = ["_static"]
html_css_files = ["typedprop.css"]
pygments_dark_style = "github-dark"
html_copy_source = False
html_show_sourcelink = False
