"""Break the Rego in small ways, one at a time: the table or a Rego test MUST notice each.

    python -m tests.policy.mutation [SAMPLE]       (prints the score and what survived)

Mutants are made on the text, rule by rule: a comparison turned, a condition dropped, a number moved, a
constant changed. One that no longer compiles, or that both parts of the tests cannot tell from the original
because nothing it touches can ever differ (EQUIVALENT, each with its reason), is not counted.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import regorus

from gateway.policy.bundle import PolicyBundle, default_folder, load
from gateway.policy.decision import parse
from gateway.policy.errors import PolicyUnavailable
from tests import opa as tools
from tests.policy.table import Row, rows
from tests.policy.test_decision_table import check

FOLDER = default_folder()
LIMIT = 0.95

TURNS = [
    (" == ", " != "),
    (" != ", " == "),
    (" < ", " <= "),
    (" <= ", " < "),
    (" > ", " >= "),
    (" >= ", " > "),
]
TURNS += [("min(", "max("), ("max(", "min("), (" + ", " - "), (" - ", " + "), ("not ", "")]


@dataclass(frozen=True)
class Mutant:
    """One broken version of one file."""

    path: str
    line: int
    was: str
    made: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.was.strip()}  ->  {self.made.strip() or '(dropped)'}"


EQUIVALENT = {
    "fair_use.rego: some item in input.request.items -> ": "`fair` has a row for each asked item, no other",
    "mandate.rego: acting != null -> ": "no role to name, so the head is undefined where nobody acts",
}
"""File, line as written and as broken: why nothing can tell them apart."""


def mutants(bundle: PolicyBundle) -> Iterator[Mutant]:
    """Every broken version of the policy, in order."""
    for path, source in bundle.modules.items():
        for number, line in enumerate(source.splitlines(), 1):
            code = line.split("#")[0] if '"#' not in line else line
            if not code.strip() or re.match(r"\s*(package|import)\b", code):
                continue
            for made in dict.fromkeys(_broken(code)):
                if made != code:
                    yield Mutant(path, number, code, made)


def _broken(code: str) -> Iterator[str]:
    for old, new in TURNS:
        for found in re.finditer(re.escape(old), code):
            yield code[: found.start()] + new + code[found.end() :]
    for found in re.finditer(r"(?<![\w.\"])\d+(?![\w.\"])", code):
        yield code[: found.start()] + str(int(found.group()) + 1) + code[found.end() :]
    for found in re.finditer(r"\b(true|false)\b", code):
        yield code[: found.start()] + ("false" if found.group() == "true" else "true") + code[found.end() :]
    for found in re.finditer(r'"([a-z_]{3,}|KR|\*)"', code):
        yield code[: found.start()] + '"mutated"' + code[found.end() :]
    if re.match(
        r"^\t+(not |is_|startswith|endswith|some |\w[\w.\[\]\"/]* (==|!=|<|<=|>|>=|in) |\w+\(|\w+$)", code
    ):
        yield ""


def build(bundle: PolicyBundle, mutant: Mutant | None = None) -> regorus.Engine:
    """The engine on the policy with one broken line; raises where it does not compile."""
    engine = regorus.Engine()
    for path, source in bundle.modules.items():
        engine.add_policy(path, _with(source, mutant) if mutant and path == mutant.path else source)
    engine.add_data_json(json.dumps(bundle.data))
    return engine


def answer(engine: regorus.Engine, row: Row) -> str:
    """The bare answer to a row, or that there was none."""
    try:
        engine.set_input_json(_encoded(row.name))
        return str(engine.eval_rule_as_json("data.mydata.transfer.decision"))
    except BaseException as error:
        _unless_stopping(error)
        return "error"


@cache
def _encoded(name: str) -> str:
    return next(json.dumps(row.document) for row in rows() if row.name == name)


def noticed_by_table(engine: regorus.Engine, expected: dict[str, str], order: list[Row]) -> bool:
    """Whether a row of the decision table, checked as the tests check it, fails; it moves to the front."""
    for place, row in enumerate(order):
        found = answer(engine, row)
        if found != expected[row.name]:
            try:
                check(row, parse(found.encode(), row.question, engine="x", revision="x"))
            except (AssertionError, PolicyUnavailable):
                order.insert(0, order.pop(place))
                return True
    return False


def noticed_by_rego(opa: Path, mutant: Mutant) -> bool:
    """Whether `opa test` on the folder with the broken line fails."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "mydata"
        shutil.copytree(FOLDER / "mydata", copy)
        file = Path(folder) / mutant.path
        file.write_text(_with(file.read_text(), mutant))
        command = [str(opa), "test", f"mydata:{copy}"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=600)
        return done.returncode != 0


def run(opa: Path, sample: int = 0) -> tuple[int, list[Mutant]]:
    """How many mutants were tried, and those that neither the table nor the Rego tests noticed.

    `sample`: only so many, spread evenly over the policy and the same every time; 0 means all.
    """
    bundle = load()
    sound = build(bundle)
    expected = {row.name: answer(sound, row) for row in rows()}
    tried, alive = 0, []
    order, chosen = list(rows()), list(mutants(bundle))
    for mutant in chosen[:: max(1, len(chosen) // sample)] if sample else chosen:
        if f"{Path(mutant.path).name}: {mutant.was.strip()} -> {mutant.made.strip()}" in EQUIVALENT:
            continue
        try:
            engine = build(bundle, mutant)
            engine.set_input_json("{}")
            engine.eval_rule_as_json("data.mydata.transfer.decision")
        except BaseException as error:
            _unless_stopping(error)
            continue
        tried += 1
        if not noticed_by_table(engine, expected, order):
            alive.append(mutant)
    with ThreadPoolExecutor(2) as pool:
        noticed = list(pool.map(lambda mutant: noticed_by_rego(opa, mutant), alive))
    return tried, [mutant for mutant, seen in zip(alive, noticed, strict=True) if not seen]


def _with(source: str, mutant: Mutant) -> str:
    lines = source.splitlines()
    lines[mutant.line - 1] = mutant.made
    return "\n".join(lines) + "\n"


def _unless_stopping(error: BaseException) -> None:
    if isinstance(error, KeyboardInterrupt | SystemExit):
        raise error


def main() -> int:
    """Print the survivors and the score; 0 when it is high enough."""
    binary, reason = tools.binary()
    if binary is None:
        print(f"no OPA: {reason}")
        return 2
    sample = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    count, survivors = run(binary, sample)
    for one in survivors:
        print("survived:", one)
    score = 1 - len(survivors) / count
    print(f"{count} mutants, {len(survivors)} survived, score {score:.1%} (at least {LIMIT:.0%})")
    return 0 if score >= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
