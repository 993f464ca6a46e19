"""The Rego itself: formatted, strictly checked against its schema and capabilities, tested, portable."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway.policy.bundle import default_folder
from tests import opa

FOLDER = default_folder()
FILES = sorted(FOLDER.rglob("*.rego"))


def run(binary: Path, *arguments: str | Path) -> str:
    """Run OPA; its output, or a failure that shows it."""
    command = (binary, *arguments)
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.opa
def test_rego_is_formatted(opa_binary: Path) -> None:
    """`opa fmt` has nothing to change."""
    run(opa_binary, "fmt", "--list", "--fail", FOLDER / "mydata")


@pytest.mark.opa
def test_rego_passes_the_strict_check(opa_binary: Path) -> None:
    """`opa check --strict` with the input schema and the portable capabilities finds nothing."""
    limits = ("--schema", FOLDER / "schemas", "--capabilities", FOLDER / "capabilities.json")
    run(opa_binary, "check", "--strict", *limits, FOLDER / "mydata")


@pytest.mark.opa
def test_the_schema_catches_a_misspelt_fact(opa_binary: Path, tmp_path: Path) -> None:
    """The strict check is awake: a rule reading a fact the schema does not know is refused."""
    text = (FOLDER / "mydata/transfer/decision.rego").read_text(encoding="utf-8")
    (tmp_path / "decision.rego").write_text(text + "\nmisspelt if input.client.statuss\n")
    others = [
        f for f in (FOLDER / "mydata").rglob("*.rego") if f.name != "decision.rego" and "_test" not in f.name
    ]
    command: list[Any] = [
        opa_binary,
        "check",
        "--strict",
        "--schema",
        FOLDER / "schemas",
        tmp_path / "decision.rego",
        *others,
    ]
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode != 0
    assert "statuss" in done.stdout + done.stderr


@pytest.mark.opa
def test_the_capabilities_refuse_time_and_network(opa_binary: Path, tmp_path: Path) -> None:
    """A rule that asks for the time or the network does not compile."""
    for builtin in (
        "time.now_ns()",
        'http.send({"url": "http://127.0.0.1", "method": "get"})',
        'rand.intn("x", 9)',
    ):
        file = tmp_path / "odd.rego"
        file.write_text(f"package odd\n\nx := {builtin}\n")
        command: list[Any] = [opa_binary, "check", "--capabilities", FOLDER / "capabilities.json", file]
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode != 0
        assert "undefined function" in done.stdout + done.stderr


@pytest.mark.opa
def test_rego_tests_pass_and_cover(opa_binary: Path) -> None:
    """`opa test` passes, and reaches every line without the decision table's help."""
    where = f"mydata:{FOLDER / 'mydata'}"
    report = json.loads(run(opa_binary, "test", "--timeout", "90s", "--fail-on-empty", "--coverage", where))
    assert report["coverage"] == 100, {f: v.get("not_covered") for f, v in report["files"].items()}


@pytest.mark.opa
def test_regal_finds_nothing() -> None:
    """The linter of Rego finds nothing beyond the rules its config sets aside with a reason."""
    regal, reason = opa.binary("regal")
    if regal is None:
        pytest.skip(f"group opa: {reason}")
    run(regal, "lint", "--no-color", FOLDER)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_negation_means_the_same_on_every_engine(file: Path) -> None:
    """Every file imports the negation under which `not` of something missing is true on all engines."""
    assert "import future.keywords.not\n" in file.read_text(encoding="utf-8")


def test_each_file_has_its_tests_and_its_package() -> None:
    """Folder is package, and every x.rego has an x_test.rego beside it."""
    for file in (f for f in FOLDER.rglob("*.rego") if not f.name.endswith("_test.rego")):
        package = ".".join(file.relative_to(FOLDER).parent.parts)
        assert re.search(rf"^package {re.escape(package)}$", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert file.with_name(f"{file.stem}_test.rego").is_file(), file.name


def test_every_code_in_the_rego_is_registered() -> None:
    """Each code a rule names has its article entry in the reference data, and none is left over."""
    known = set(json.loads((FOLDER / "mydata/reference/data.json").read_text(encoding="utf-8"))["codes"])
    named: set[str] = set()
    for file in (FOLDER / "mydata/transfer").glob("*.rego"):
        if not file.name.endswith("_test.rego"):
            text = file.read_text(encoding="utf-8")
            named |= set(re.findall(r'"code": "(\w+)"', text)) | set(
                re.findall(r'refused\([\w.]+, "(\w+)"', text)
            )
    assert named == known
