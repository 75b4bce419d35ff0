"""Which functions read a parameter, derived from the sources of the package.

A read is an attribute of that name (`numbers.strain_stop`) on something that can be the parameter's
group. What that something is follows from annotations, from assignments (`p = self.parameters`), and
from the group's own name in the configuration (`config.mechanics.interval_day`). Where none of these
is known, as in kernels, it counts if the module uses the group, or if no other group has the name and
it is of several words; but not where an item of it is taken (`cells.depth_um[row]`): that is a column.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from bonesim.config.explain import groups_in
from bonesim.parameters import Parameters

PACKAGE = Path(__file__).parents[1]
#: A binding is followed through so many assignments.
MAX_STEPS = 4


class Groups(NamedTuple):
    """The groups of parameters of a tree, and how sources name them."""

    by_name: dict[str, type[BaseModel]]  # class name, or name of a named tuple made from it
    by_field: dict[str, set[type[BaseModel]]]  # name in the configuration -> groups
    with_field: dict[str, set[type[BaseModel]]]  # parameter -> groups that have it


class Scope(NamedTuple):
    """A function (or the module's top) and the class it is in."""

    name: str
    node: ast.AST
    inside: ast.ClassDef | None

    def own(self) -> Iterator[ast.AST]:
        """All nodes within it, but not those of functions and classes in it."""
        pending = list(ast.iter_child_nodes(self.node))
        while pending:
            node = pending.pop()
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield node
                pending += ast.iter_child_nodes(node)


class Module(NamedTuple):
    """A source file, read."""

    name: str  # without "bonesim."
    text: str
    tree: ast.Module
    loads: dict[str, list[tuple[Scope, ast.Attribute]]]  # attribute -> where it is read
    columns: set[ast.Attribute]  # attributes of which an item is taken


@cache
def readers_of(
    roots: tuple[type[BaseModel], ...], group: type[BaseModel], name: str
) -> tuple[str, ...]:
    """Full names, without "bonesim.", of the functions that read a parameter, in order.

    Args:
        roots: the models in whose trees groups are looked for.
        group: the group that declares the parameter.
        name: the parameter.
    """
    known = _groups(roots)
    found = set()
    for module in _modules():
        if name in module.loads:
            found |= {f"{module.name}.{place}" for place in _reads(module, known, group, name)}
    return tuple(sorted(found))


@cache
def _modules() -> tuple[Module, ...]:
    read = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        columns = {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute)
        }
        read.append(Module(name, text, tree, _loads(tree), columns))
    return tuple(read)


def _loads(tree: ast.Module) -> dict[str, list[tuple[Scope, ast.Attribute]]]:
    """Every attribute that is read, but not called: where it is read."""
    found: dict[str, list[tuple[Scope, ast.Attribute]]] = {}
    for scope in _scopes(tree):
        nodes = list(scope.own())
        called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        for node in nodes:
            reads = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
            if isinstance(node, ast.Attribute) and reads and id(node) not in called:
                found.setdefault(node.attr, []).append((scope, node))
    return found


@cache
def _groups(roots: tuple[type[BaseModel], ...]) -> Groups:
    by_name: dict[str, type[BaseModel]] = {}
    by_field: dict[str, set[type[BaseModel]]] = {}
    with_field: dict[str, set[type[BaseModel]]] = {}
    pending = list(roots)
    while pending:
        group = pending.pop()
        if by_name.get(group.__name__) is group:
            continue
        by_name |= {one.__name__: one for one in group.__mro__ if _is_group(one)}
        for name, field in group.model_fields.items():
            with_field.setdefault(name, set()).add(group)
            inner = groups_in(field.annotation)
            by_field.setdefault(name, set()).update(inner)
            pending += inner
    for module in _modules():
        by_name |= _tuples_of(module.tree, by_name)
    known = Groups(by_name, by_field, with_field)
    # A call can be in another module than the tuple that it fills.
    fields = dict(found for module in _modules() for found in _fields_of(module.tree))
    by_name |= {
        name: group for module in _modules() for name, group in _filled(module.tree, fields, known)
    }
    return known


def _fields_of(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """Named tuples written as classes, and the names of their fields."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and "NamedTuple" in map(ast.unparse, node.bases):
            yield node.name, [
                one.target.id for one in node.body
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
            ]  # fmt: skip


def _filled(
    tree: ast.Module, fields: dict[str, list[str]], known: Groups
) -> Iterator[tuple[str, type[BaseModel]]]:
    """Named tuples that get all that they share with one group from it, under the same names."""
    for scope in _scopes(tree):
        for node in scope.own():
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in fields:
                continue
            name = ast.unparse(node.func)
            given = [*zip(fields[name], node.args, strict=False),
                     *((one.arg, one.value) for one in node.keywords)]  # fmt: skip
            same = {field: value for field, value in given
                    if isinstance(value, ast.Attribute) and value.attr == field}  # fmt: skip
            kinds = {
                kind for value in same.values() for kind in _kinds(value.value, scope, known) or ()
            }
            if len(kinds) == 1:
                (group,) = kinds
                if set(same) == set(fields[name]) & set(group.model_fields):
                    yield name, group


def _is_group(kind: type) -> bool:
    return issubclass(kind, Parameters) and kind is not Parameters


def _tuples_of(tree: ast.Module, by_name: dict[str, type[BaseModel]]) -> dict[str, type[BaseModel]]:
    """Named tuples that are made from a group, and their groups.

    Either of its `model_fields`, or by a method of the group that copies the tuple's `_fields`.
    """
    made = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and "namedtuple" in (text := ast.unparse(node.value)):
            for name, group in by_name.items():
                if f"{name}.model_fields" in text and isinstance(node.targets[0], ast.Name):
                    made[node.targets[0].id] = group
        elif isinstance(node, ast.ClassDef) and node.name in by_name:
            for view in re.findall(r"in (\w+)\._fields", ast.unparse(node)):
                made[view] = by_name[node.name]
    return made


def _reads(module: Module, known: Groups, group: type[BaseModel], name: str) -> Iterator[str]:
    """The functions of a module that read a parameter of a group."""
    family = _family(group, known)
    named = any(one in module.text for one, other in known.by_name.items() if other in family)
    # A name of one word (index, path) is too common to stand for itself.
    used = named or ("_" in name and known.with_field[name] <= family)
    for scope, node in module.loads[name]:
        kinds = _kinds(node.value, scope, known)
        if kinds & family if kinds is not None else used and node not in module.columns:
            yield scope.name


def _family(group: type[BaseModel], known: Groups) -> set[type[BaseModel]]:
    """A group, and the groups it is made from or that are made from it."""
    everything = set(known.by_name.values())
    return {one for one in everything if issubclass(one, group) or issubclass(group, one)}


def _scopes(tree: ast.Module) -> Iterator[Scope]:
    yield Scope("(module)", tree, None)
    pending: list[tuple[str, ast.AST, ast.ClassDef | None]] = [("", tree, None)]
    while pending:
        prefix, node, inside = pending.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef):
                yield Scope(prefix + child.name, child, inside)
                pending.append((prefix + child.name + ".", child, inside))
            elif isinstance(child, ast.ClassDef):
                pending.append((prefix + child.name + ".", child, child))
            elif not isinstance(child, ast.expr):
                pending.append((prefix, child, inside))


def _kinds(
    node: ast.AST, scope: Scope, known: Groups, steps: int = 0
) -> set[type[BaseModel]] | None:
    """The groups that an expression can be; an empty set if none; None if not known."""
    if steps > MAX_STEPS:
        return None
    if isinstance(node, ast.Name):
        if node.id == "self" and scope.inside is not None:
            return _named(scope.inside.name, known)
        return _bound(node.id, scope, known, steps)
    if isinstance(node, ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id == "self" and scope.inside:
            for method in ast.walk(scope.inside):
                if isinstance(method, ast.FunctionDef):
                    inner = Scope(method.name, method, scope.inside)
                    kinds = _assigned(f"self.{node.attr}", inner, known, steps)
                    if kinds is not None:
                        return kinds
        return known.by_field.get(node.attr) or None
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        if called == "numbers_of":
            return _kinds(node.args[0], scope, known, steps + 1)
        return {known.by_name[called]} if called in known.by_name else None
    return None


def _named(annotation: str, known: Groups) -> set[type[BaseModel]] | None:
    """The groups that a type's text names; an empty set if it names something else."""
    names = set(ast.unparse(ast.parse(annotation.strip("\"'"))).replace("|", " ").split())
    kinds = {known.by_name[name] for name in names if name in known.by_name}
    return kinds if kinds or "Any" not in names else None


def _bound(name: str, scope: Scope, known: Groups, steps: int) -> set[type[BaseModel]] | None:
    """The groups that a name in a function can be."""
    if isinstance(scope.node, ast.FunctionDef):
        arguments = scope.node.args
        for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if one.arg == name:
                if one.annotation is None:
                    return None
                return _named(ast.unparse(one.annotation), known)
    return _assigned(name, scope, known, steps)


def _assigned(target: str, scope: Scope, known: Groups, steps: int) -> set[type[BaseModel]] | None:
    """The groups of what is assigned to `name` or `self.name` in a function."""
    for node in scope.own():
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == target:
            return _named(ast.unparse(node.annotation), known)
        if isinstance(node, ast.Assign):
            for left, right in _pairs(node):
                if ast.unparse(left) == target:
                    return _kinds(right, scope, known, steps + 1)
    return None


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What is assigned to what; a tuple to a tuple part by part."""
    for left in node.targets:
        right = node.value
        if (
            isinstance(left, ast.Tuple)
            and isinstance(right, ast.Tuple)
            and len(left.elts) == len(right.elts)
        ):
            yield from zip(left.elts, right.elts, strict=True)
        else:
            yield left, right
