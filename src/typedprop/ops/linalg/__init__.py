"""Linear algebra, a module a family; `typedprop.linalg` has them all."""
