"""What the source of kernels says: which arguments they write, and which file writes which column."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

PACKAGE = Path(__file__).parents[1] / "bonesim"
#: Tables by what holds them: the name of a class, of an attribute, of a variable.
TABLES = {
    "Lattice": "lattice", "SiteColumns": "sites", "RecordColumns": "records", "BmuColumns": "bmus",
    "OsteoclastColumns": "osteoclasts", "OsteoblastColumns": "osteoblasts",
    "OsteocyteColumns": "osteocytes", "Cavities": "cavities",
}  # fmt: skip
#: Columns of running totals: each place has a name.
TOTALS = ("tally", "counts", "sums")


class Kernel(NamedTuple):
    """A kernel's full name and definition."""

    name: str
    node: ast.FunctionDef

    @property
    def room(self) -> str:
        """The package it is in."""
        return self.name.split(".")[1]

    @property
    def arguments(self) -> dict[str, str]:
        """Name of each argument, and its annotation."""
        given = self.node.args.args
        return {a.arg: ast.unparse(a.annotation) if a.annotation else "" for a in given}

    @property
    def returns(self) -> str:
        """Annotation of what it returns."""
        return ast.unparse(self.node.returns) if self.node.returns else ""

    @property
    def text(self) -> str:
        """Its docstring."""
        return ast.get_docstring(self.node) or ""


def is_kernel(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        isinstance(mark, ast.Name) and mark.id in ("kernel", "lean_kernel")
        for mark in node.decorator_list
    )


@cache
def files() -> dict[str, ast.Module]:
    """Name of every module of the package within it (cells.site), and its tree."""
    return {
        ".".join(file.relative_to(PACKAGE).with_suffix("").parts): ast.parse(file.read_text())
        for file in sorted(PACKAGE.rglob("*.py"))
    }


@cache
def kernels() -> dict[str, Kernel]:
    """Every kernel of the package by its full name."""
    return {
        f"bonesim.{module}.{node.name}": Kernel(f"bonesim.{module}.{node.name}", node)
        for module, tree in files().items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and is_kernel(node)
    }


@cache
def names_in(module: str) -> dict[str, str]:
    """Name in a module -> full name, of what it imports and of its own kernels."""
    found = {
        k.node.name: name for name, k in kernels().items() if name.rpartition(".")[0] == module
    }
    for node in ast.walk(files()[module.removeprefix("bonesim.")]):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Targets and values of an assignment, side by side."""
    for target in node.targets:
        value = node.value
        both = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
        if both and len(target.elts) == len(value.elts):  # type: ignore[attr-defined]
            yield from zip(target.elts, value.elts, strict=True)  # type: ignore[attr-defined]
        else:
            yield target, value


def stored(node: ast.AST) -> Iterator[ast.Subscript]:
    """Places of arrays that a statement assigns."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = list(node.targets)
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    for target in targets:
        for one in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(one, ast.Subscript):
                yield one


def owner(expression: ast.expr, alias: dict[str, str]) -> str | None:
    """The argument that an expression is a part of."""
    while isinstance(expression, ast.Attribute | ast.Subscript):
        expression = expression.value
    return alias.get(expression.id) if isinstance(expression, ast.Name) else None


def aliases(kernel: Kernel) -> dict[str, str]:
    """Names within a kernel that stand for an argument or an array of it."""
    found = {name: name for name in kernel.arguments}
    for _ in range(2):
        for node in ast.walk(kernel.node):
            for target, value in pairs(node) if isinstance(node, ast.Assign) else ():
                whole = isinstance(value, ast.Name | ast.Attribute | ast.Subscript)
                if isinstance(target, ast.Name) and whole and owner(value, found):
                    found.setdefault(target.id, str(owner(value, found)))
    return found


class Facts(NamedTuple):
    """What a kernel does with its arguments, read once from its source."""

    stores: frozenset[str]  # arguments that it writes into itself
    #: Argument of a kernel it calls -> the argument of its own that it gives there.
    given: tuple[tuple[str, str, str], ...]


def facts_of(kernel: Kernel) -> Facts:
    """What the source of a kernel says."""
    names, alias = names_in(kernel.name.rpartition(".")[0]), aliases(kernel)
    stores: set[str] = set()
    given: list[tuple[str, str, str]] = []
    for node in ast.walk(kernel.node):
        stores |= {own for place in stored(node) if (own := owner(place, alias))}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called = names.get(node.func.id, "")
            if called in kernels():
                pairs_of = zip(kernels()[called].arguments, node.args, strict=True)
                given += [(called, n, own) for n, value in pairs_of if (own := owner(value, alias))]
    return Facts(frozenset(stores), tuple(given))


@cache
def written() -> dict[str, frozenset[str]]:
    """Every kernel, and the arguments that it or a kernel it calls writes into."""
    facts = {name: facts_of(kernel) for name, kernel in kernels().items()}
    known = {name: one.stores for name, one in facts.items()}
    while True:
        now = {
            name: known[name] | {own for called, n, own in one.given if n in known[called]}
            for name, one in facts.items()
        }
        if now == known:
            return known
        known = now


def table_of(expression: ast.expr, kinds: dict[str, str]) -> str | None:
    """The table that an expression is, by the names that hold tables everywhere."""
    if isinstance(expression, ast.Name):
        return kinds.get(expression.id)
    if isinstance(expression, ast.Attribute):
        if expression.attr == "columns":
            inner = expression.value
            return table_of(inner, kinds)
        return expression.attr if expression.attr in TABLES.values() else None
    return None


def writers(modules: dict[str, ast.Module]) -> dict[tuple[str, str], set[str]]:
    """(table, column) -> the modules with a statement that assigns places of it.

    Of running totals, each place with a name is a column: (cavities, QUANTA_ERODED).
    """
    found: dict[tuple[str, str], set[str]] = {}
    for module, tree in modules.items():
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            nodes = list(ast.walk(function))
            places = [place for node in nodes for place in stored(node)]
            if places:
                columns = columns_in(function, nodes)
                for place in places:
                    if column := column_of(place, *columns):
                        found.setdefault(column, set()).add(module)
    return found


@cache
def writers_now() -> dict[tuple[str, str], set[str]]:
    """`writers` of the package as it is."""
    return writers(files())


Columns: TypeAlias = dict[str, tuple[str, str]]


def columns_in(function: ast.FunctionDef, nodes: list[ast.AST]) -> tuple[dict[str, str], Columns]:
    """Names in a function that hold a table, and those that hold a column of one."""
    kinds = {name: name for name in TABLES.values()}
    for argument in function.args.args:
        if argument.annotation is not None:
            kind = TABLES.get(ast.unparse(argument.annotation))
            kinds |= {argument.arg: kind} if kind else {}
    columns: Columns = {}
    for node in nodes:
        for target, value in pairs(node) if isinstance(node, ast.Assign) else ():
            if isinstance(target, ast.Name) and isinstance(value, ast.Attribute):
                table = table_of(value.value, kinds)
                if table_of(value, kinds):
                    kinds[target.id] = str(table_of(value, kinds))
                elif table:
                    columns[target.id] = (table, value.attr)
    return kinds, columns


def column_of(
    place: ast.Subscript, kinds: dict[str, str], columns: Columns
) -> tuple[str, str] | None:
    """The (table, column) that a place of an array belongs to; None: of no table."""
    array, column = place.value, None
    if isinstance(array, ast.Name):
        column = columns.get(array.id)
    elif isinstance(array, ast.Attribute):
        table = table_of(array.value, kinds)
        column = (table, array.attr) if table else None
    if column and column[1] in TOTALS and isinstance(place.slice, ast.Name):
        return column[0], place.slice.id
    return column
