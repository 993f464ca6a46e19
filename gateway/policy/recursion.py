"""Refuse a policy that calls itself in a circle: the embedded engine would end the process on it.

OPA refuses recursion when it compiles; this guard stands where no OPA has looked. It follows names, so it may
refuse a policy whose local variable has the name of a rule that leads back; rename the variable then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import orjson
import regorus

from gateway.policy.errors import BundleInvalid


def refuse_recursion(interpreter: regorus.Engine) -> None:
    """Raises BundleInvalid naming a circle among the rules of the loaded policies."""
    calls = _calls(orjson.loads(interpreter.get_ast_as_json()))
    done: set[str] = set()
    for start in sorted(calls):
        _visit(start, calls, done)


def _visit(start: str, calls: dict[str, set[str]], done: set[str]) -> None:
    """Depth first without recursion of our own; `path` is the way from `start`."""
    path: list[str] = []
    work: list[tuple[str, bool]] = [(start, True)]
    while work:
        rule, entering = work.pop()
        if not entering:
            path.remove(rule)
            done.add(rule)
        elif rule in path:
            circle = [*path[path.index(rule) :], rule]
            raise BundleInvalid(f"rules call each other in a circle: {' -> '.join(circle)}")
        elif rule not in done:
            path.append(rule)
            work.append((rule, False))
            work.extend((called, True) for called in sorted(calls[rule]))


def _calls(modules: list[dict[str, Any]]) -> dict[str, set[str]]:
    """By rule (`package.name`): the rules its text names, of its own package or of one it imports."""
    names: dict[str, set[str]] = defaultdict(set)
    bodies: list[tuple[str, dict[str, str], str, Any]] = []
    for module in modules:
        ast = module["ast"]
        package = _dotted(ast["package"]["refr"])
        imports = {one.split(".")[-1]: one for one in map(_imported, ast["imports"])}
        for rule in ast["rules"]:
            name = _head(rule)
            names[package].add(name)
            bodies.append((package, imports, name, rule))
    calls: dict[str, set[str]] = defaultdict(set)
    for package, imports, name, rule in bodies:
        for seen in _references(_bodies(rule)):
            first, _, rest = seen.partition(".")
            known = first in names[package]
            if known and not (first == name and _is_default(rule)):
                calls[f"{package}.{name}"].add(f"{package}.{first}")
            whole = f"{imports[first].removeprefix('data.')}.{rest}" if first in imports else seen
            whole = whole.removeprefix("data.")
            for other, defined in names.items():
                called = whole.removeprefix(f"{other}.").split(".")[0]
                if whole.startswith(f"{other}.") and called in defined:
                    calls[f"{package}.{name}"].add(f"{other}.{called}")
    return defaultdict(set, calls)


def _is_default(rule: dict[str, Any]) -> bool:
    return "Default" in rule


def _bodies(rule: dict[str, Any]) -> Any:
    spec = rule.get("Spec")
    return rule if spec is None else [spec["bodies"], _values(spec["head"])]


def _values(head: dict[str, Any]) -> list[Any]:
    """What a head computes (`:= value`, the key of a set), without its own name."""
    inside = next(iter(head.values()))
    return [part for label, part in inside.items() if label != "refr"]


def _head(rule: dict[str, Any]) -> str:
    inside: dict[str, Any] = rule["Spec"]["head"] if "Spec" in rule else rule["Default"]
    place = next(iter(inside.values())) if "refr" not in inside else inside
    return _dotted(place["refr"]).split(".")[0]


def _imported(one: dict[str, Any]) -> str:
    return _dotted(one["refr"])


def _dotted(ref: dict[str, Any]) -> str:
    if "Var" in ref:
        return _text(ref["Var"])
    if "RefDot" in ref:
        inside = ref["RefDot"]
        return f"{_dotted(inside['refr'])}.{_field(inside['field'])}"
    if "RefBrack" in ref:
        return _dotted(ref["RefBrack"]["refr"])
    return ""


def _field(field: Any) -> str:
    named = [part for part in field if isinstance(part, str)] if isinstance(field, list) else [field]
    return str(named[-1]) if named else ""


def _text(var: dict[str, Any]) -> str:
    return str(var.get("value", ""))


def _references(part: Any) -> Iterator[str]:
    """Every name, dotted as written, that stands in a piece of the tree."""
    if isinstance(part, dict):
        if "RefDot" in part or "Var" in part:
            yield _dotted(part)
        for inside in part.values():
            yield from _references(inside)
    elif isinstance(part, list):
        for inside in part:
            yield from _references(inside)
