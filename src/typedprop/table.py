"""Tables as text, as HTML, and by rich where that is installed."""

from __future__ import annotations

import html
import importlib.util
from collections.abc import Sequence
from typing import Any

import attrs

from typedprop.extras import extra


@attrs.frozen(repr=False)
class Table:
    """Rows of text under headers; the columns in `right` are set flush right. The last row may be a sum.

    `print` shows it in plain text, `show` by rich where that is installed; a notebook shows it in HTML.
    """

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[str] = ()
    last: Sequence[str] = ()

    def text(self) -> str:
        """The table in plain text, a line a row."""
        rows = [self.headers, *self.rows, *([self.last] if self.last else [])]
        widths = self._widths()
        lines = [
            "  ".join(
                cell.rjust(width) if header in self.right else cell.ljust(width)
                for cell, width, header in zip(row, widths, self.headers, strict=True)
            ).rstrip()
            for row in rows
        ]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        lines.insert(1, rule)
        if self.last:
            lines.insert(-1, rule)
        return "\n".join([self.title, *lines])

    def html(self) -> str:
        """The table in HTML, for a notebook."""

        def row(cells: Sequence[str], tag: str) -> str:
            return "".join(
                f'<{tag} style="text-align: {"right" if header in self.right else "left"}; padding: 0.1em 0.5em">'
                f"{html.escape(cell)}</{tag}>"
                for cell, header in zip(cells, self.headers, strict=True)
            )

        body = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in self.rows)
        foot = f"<tfoot><tr>{row(self.last, 'th')}</tr></tfoot>" if self.last else ""
        return (
            f"<table><caption>{html.escape(self.title)}</caption>"
            f"<thead><tr>{row(self.headers, 'th')}</tr></thead><tbody>{body}</tbody>{foot}</table>"
        )

    # rich is an optional extra, so its types are not known here.
    def rich(self) -> object:
        """The table as rich's; raises ImportError where rich is not installed."""
        box = extra("rich.box", name="rich", needed_by="a rich table").SIMPLE_HEAD
        table = extra("rich.table", name="rich", needed_by="a rich table").Table(
            title=self.title, title_justify="left", show_footer=bool(self.last), box=box, padding=(0, 1, 0, 0)
        )
        for k, (header, width) in enumerate(zip(self.headers, self._widths(), strict=True)):
            table.add_column(
                header,
                self.last[k] if self.last else "",
                justify="right" if header in self.right else "left",
                no_wrap=True,
                min_width=len(header) if k == self._shortened() else width,
            )
        text = extra("rich.text", name="rich", needed_by="a rich table").Text
        for row in self.rows:
            # As text, for a shape in brackets would be markup.
            table.add_row(*map(text, row))
        return table

    def show(self) -> None:
        """Print the table: by rich where it is installed, as plain text otherwise.

        In a narrow terminal the last column is shortened if it is text. Nothing else ever is.
        """
        if importlib.util.find_spec("rich") is None:
            print(self.text())
            return
        console = extra("rich", name="rich", needed_by="a rich table").get_console()
        table: Any = self.rich()
        # Two blanks between columns, one before the first and two after the last.
        widths = self._widths()
        table.width = sum(widths) + 2 * len(widths) + 1
        if console.is_terminal and (k := self._shortened()) is not None:
            missing = min(widths[k] - len(self.headers[k]), max(0, table.width - console.width))
            table.width -= missing
            # Else rich takes from all columns alike, and leaves some out.
            table.columns[k].width = widths[k] - missing
        console.print(table, crop=False)

    def _widths(self) -> list[int]:
        rows = [self.headers, *self.rows, self.last or self.headers]
        return [max(len(row[k]) for row in rows) for k in range(len(self.headers))]

    def _shortened(self) -> int | None:
        """The column that need not fit: the last, where it is text."""
        last = len(self.headers) - 1
        return None if self.headers[last] in self.right else last

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<table of {len(self.rows):,} rows: {self.title}>"

    def __rich__(self) -> object:
        return self.rich()

    def _repr_html_(self) -> str:
        return self.html()


def bytes_text(count: int) -> str:
    """A number of bytes as one reads it: `8 B`, `4.2 kB`, `1.5 MB` (powers of 1000)."""
    if count < 1000:
        return f"{count} B"
    for factor, unit in ((1e3, "kB"), (1e6, "MB")):
        if count / factor < 999.5:
            return f"{count / factor:.3g} {unit}"
    return f"{count / 1e9:.3g} GB"


def time_text(seconds: float) -> str:
    """A time as one reads it: `3.2 µs`, `15 ms`, `1.5 s`."""
    for factor, unit in ((1e6, "µs"), (1e3, "ms")):
        if seconds * factor < 999.5:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"
