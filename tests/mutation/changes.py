"""Programs that differ from a given one in one place: a comparison, an operator, a sign, a number or a quantifier."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import NamedTuple

OTHERS: dict[type, type] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
NAMES = {"all": "any", "any": "all", "min": "max", "max": "min"}
METHODS = {
    **NAMES,
    "amin": "amax",
    "amax": "amin",
    "minimum": "maximum",
    "maximum": "minimum",
    "mean": "sum",
    "sum": "mean",
}
UNARY = (ast.Not, ast.Invert, ast.USub)


class Change(NamedTuple):
    """One change: where, from what to what, and the whole text after it."""

    line: int
    what: str
    text: str


def changes(text: str) -> list[Change]:
    """Every change of one place within the functions of a program, in the order of the lines."""
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
    source = text.encode()
    found: dict[tuple[int, int, str], Change] = {}
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in _deciding(ast.Module(function.body, [])):
            other = _changed(node)
            if other is None:
                continue
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            right, wrong = source[begin:end].decode(), ast.unparse(other)
            placed = f"({wrong})" if isinstance(node, ast.expr) else wrong
            whole = source[:begin] + placed.encode() + source[end:]
            found[begin, end, wrong] = Change(
                node.lineno, f"{' '.join(right.split())} -> {wrong}", whole.decode()
            )
    return sorted(found.values())


def _deciding(node: ast.AST) -> Iterator[ast.AST]:
    """What decides within a node: no annotation, no message, no assertion, such as that lists are of one length."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Raise, ast.Assert, ast.JoinedStr, ast.arguments)):
            continue
        if isinstance(node, ast.AnnAssign) and child is node.annotation:
            continue
        if isinstance(child, ast.keyword) and child.arg == "strict":
            continue
        yield child
        yield from _deciding(child)


def _changed(node: ast.AST) -> ast.AST | None:
    """The node with its operator, number or quantifier turned into another; None if it has none."""
    other = copy.deepcopy(node)
    match other:
        case ast.Compare(ops=[op, *_]) if type(op) in OTHERS:
            other.ops[0] = OTHERS[type(op)]()
        case ast.BoolOp(op=op) | ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in OTHERS:
            other.op = OTHERS[type(op)]()
        case ast.UnaryOp(op=op) if isinstance(op, UNARY):
            return other.operand
        case ast.Constant(value=bool()):
            other.value = not other.value
        case ast.Constant(value=int()):
            other.value += 1
        case ast.Constant(value=float()):
            other.value = 2 * other.value or 1.0
        case ast.Call(func=ast.Attribute(value=kept, attr="detach")):
            return kept
        case ast.Call(func=ast.Name(id=name)) if name in NAMES:
            other.func.id = NAMES[name]
        case ast.Attribute(attr=name) if name in METHODS:
            other.attr = METHODS[name]
        case _:
            return None
    return other
