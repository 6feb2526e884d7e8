"""The table: every operation of typedprop, one row each, by family."""

from __future__ import annotations

from tests.ops import table_elementwise, table_linalg, table_product, table_reduction, table_special, table_structural
from tests.ops.row import Row

TABLE: tuple[Row, ...] = (
    *table_elementwise.ROWS,
    *table_special.ROWS,
    *table_reduction.ROWS,
    *table_structural.ROWS,
    *table_product.ROWS,
    *table_linalg.ROWS,
)
