"""The house stays liveable: sizes, names, docstrings, error texts, and nothing that speaks of a machine."""

from __future__ import annotations

import ast
import statistics
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gateway", "consent", "connectors")
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "misc", "manager", "managers"}


def sources(*folders: str) -> list[Path]:
    """Every Python file below the folders that is ours to write."""
    found = [p for folder in folders for p in (ROOT / folder).rglob("*.py")]
    return [p for p in found if "versions" not in p.parts and "node_modules" not in p.parts]


def lines(path: Path) -> int:
    """How many lines a file has."""
    return len(path.read_text(encoding="utf-8").splitlines())


def test_files_are_one_idea_each() -> None:
    """The median source file has at most 110 lines, none has over 300; no test file over 500."""
    sizes = {p: n for p in sources(*PACKAGES) if (n := lines(p))}
    tests = {p: lines(p) for p in sources("tests")}

    assert statistics.median(sizes.values()) <= 110
    assert {str(p.relative_to(ROOT)): n for p, n in sizes.items() if n > 300} == {}
    assert {str(p.relative_to(ROOT)): n for p, n in tests.items() if n > 500} == {}


def test_no_room_without_an_idea() -> None:
    """No module is called utils, helpers, common, core, misc or manager."""
    assert [p for p in sources(*PACKAGES, "tests") if p.stem in FORBIDDEN_NAMES] == []


def test_everything_public_says_what_it_promises() -> None:
    """Each public module, class and function has a docstring, tests included."""
    missing = []
    for path in sources(*PACKAGES, "tests"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if tree.body and path.name != "__init__.py" and not ast.get_docstring(tree):
            missing.append(str(path))
        for node in tree.body:
            public = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            if public and not node.name.startswith("_") and not ast.get_docstring(node):
                missing.append(f"{path}:{node.lineno} {node.name}")

    assert missing == []


def test_every_problem_has_its_words() -> None:
    """Each problem code has a status and a text in both languages; hints come in pairs."""
    entries = yaml.safe_load((ROOT / "gateway/problems.yaml").read_text(encoding="utf-8"))
    for code, entry in entries.items():
        assert 400 <= entry["status"] < 600, code
        assert entry["ko"].strip(), code
        assert entry["en"].strip(), code
        assert ("hint_ko" in entry) == ("hint_en" in entry), code


def test_every_code_raised_has_an_entry() -> None:
    """Each `Problem("code")` in the source stands in problems.yaml."""
    entries = yaml.safe_load((ROOT / "gateway/problems.yaml").read_text(encoding="utf-8"))
    for path in sources(*PACKAGES):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem"
            )
            if named and node.args and isinstance(node.args[0], ast.Constant):
                assert node.args[0].value in entries, f"{path}:{node.lineno}"


def test_one_commit_in_the_code_base() -> None:
    """Only gateway/database.py ends a transaction."""
    found = [
        str(p.relative_to(ROOT))
        for p in sources(*PACKAGES)
        if ".commit()" in p.read_text(encoding="utf-8") and p.name != "database.py"
    ]

    assert found == []


@pytest.mark.parametrize("word", ["NotImplementedError", "TODO", "FIXME"])
def test_nothing_is_left_open(word: str) -> None:
    """No unfinished place is marked in the source."""
    assert [p for p in sources(*PACKAGES) if word in p.read_text(encoding="utf-8")] == []


def test_no_lock_file_names_a_host() -> None:
    """Locks carry hashes and no addresses."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    locks = [
        n for n in tracked.splitlines() if n.endswith("package-lock.json") or n.startswith("requirements/")
    ]
    for name in locks:
        assert "https://" not in (ROOT / name).read_text(encoding="utf-8"), name
