"""How Sphinx builds the site: `make docs`."""

from __future__ import annotations

import typedprop

project = "typedprop"
author = "typedprop authors"
project_copyright = "typedprop authors"
version = release = typedprop.__version__

extensions = ["myst_parser"]
exclude_patterns = ["_build", "_*"]
nitpicky = True

# `conventions.md#lengths` is a link, to the heading of that name.
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"typedprop {release}"
html_copy_source = False
html_show_sourcelink = False
