"""Calls whose function is the result of another call: `tp.grad(loss)(net, x)`.

A plugin is told of the inner call alone, and mypy's visitors of a tree are compiled, so that no plugin can make one of
its own. Hence this walk, along those attributes of a node that hold the nodes within it.
"""

from __future__ import annotations

from mypy.nodes import CallExpr, MypyFile, Node

_PARTS = set(
    """
    args arguments base begin_index bodies body callee condlists decorators defs else_body else_expr end_index expr
    finally_body from_expr func generator guards handlers if_expr impl index indices initializer items key left
    left_expr lvalues msg operands right rvalue sequences stride subject target value
    """.split()  # noqa: SIM905  # a list literal would be a column of 38 lines
)


class Calls:
    """From a call to the call of its result, in the module that is looked at."""

    def __init__(self) -> None:
        self._tree: MypyFile | None = None
        self._outer: dict[CallExpr, CallExpr | None] = {}

    def of(self, inner: CallExpr, tree: MypyFile) -> CallExpr | None:
        """The call of what `inner` results in, if it is called where it stands."""
        # A daemon puts new functions into a tree that it has.
        if tree is not self._tree or inner not in self._outer:
            self._tree, self._outer = tree, _calls_in(tree)
        return self._outer.get(inner)


def _calls_in(tree: MypyFile) -> dict[CallExpr, CallExpr | None]:
    found: dict[CallExpr, CallExpr | None] = {}
    pending: list[object] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, list | tuple):
            pending += node
        elif isinstance(node, Node):
            if isinstance(node, CallExpr):
                found.setdefault(node, None)
                if isinstance(node.callee, CallExpr):
                    found[node.callee] = node
            kind = type(node)
            if kind not in _parts:
                _parts[kind] = [name for name in dir(kind) if name in _PARTS]
            pending += [getattr(node, name, None) for name in _parts[kind]]
    return found


_parts: dict[type, list[str]] = {}
