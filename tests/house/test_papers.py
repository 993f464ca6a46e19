"""The papers tell the truth: links, commands, settings, codes and licences are those of this tree."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from consent.ledger.verify import FINDINGS
from gateway.cli import parser
from gateway.registry import load_registry
from gateway.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ("operator", "service-company", "regulator")
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "gateway/demo/left.md"])
MACHINE = re.compile(r"/(?:root|home|tmp)/")
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def named(path: Path) -> str:
    """The file as the house speaks of it."""
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    """The page without its fenced examples."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def fenced(guide: str, language: str) -> list[str]:
    """The examples of one language on one guide's page."""
    found = _FENCE.findall((ROOT / "docs" / f"{guide}.md").read_text(encoding="utf-8"))
    return [text for kind, text in found if kind == language]


def commands(path: Path) -> Iterator[str]:
    """Each `mydata ...` of a page: in backquotes, or at the start of a line of an example."""
    for text in re.findall(r"`([^`]+)`", prose(path)):
        if " ".join(text.split()).startswith("mydata "):
            yield " ".join(text.split())
    blocks = (block for _, block in _FENCE.findall(path.read_text(encoding="utf-8")))
    lines = [line for block in blocks for line in block.splitlines()]
    lines += [line[4:] for line in prose(path).splitlines() if line.startswith("    ")]
    for line in lines:
        if match := re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?(mydata .*)", line):
            yield match[1]


@pytest.mark.parametrize("path", PAPERS, ids=named)
def test_every_link_leads_somewhere(path: Path) -> None:
    """A link to a file of this tree is a file or folder of this tree."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if not re.match(r"[a-z]+:|#", target):
            assert (path.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("path", PAPERS, ids=named)
def test_every_command_is_one(path: Path) -> None:
    """Each `mydata` command is read by the real argument parser; a mention names a command that exists."""
    for command in commands(path):
        words = shlex.split(command, comments=True)[1:]
        assert known(words), f"{command}: no such command"
        if len(words) > len(leading(words)):
            assert accepted(words), command


def accepted(words: list[str]) -> bool:
    """Whether the parser takes these words; `--help` and `--version` count."""
    try:
        parser().parse_args(words)
    except SystemExit as ended:
        return ended.code == 0
    return True


def test_the_guides_show_commands() -> None:
    """The check above has something to check: each guide runs several commands."""
    for guide in GUIDES:
        assert len(list(commands(ROOT / "docs" / f"{guide}.md"))) >= 3, guide


def leading(words: list[str]) -> list[str]:
    """The words that name the command: as many as there are levels of commands."""
    level, taken = parser(), 0
    while (group := below(level)) and taken < len(words) and words[taken] in group:
        level, taken = group[words[taken]], taken + 1
    return words[:taken]


def known(words: list[str]) -> bool:
    """Whether the first word is a command and, in a group, the second one of its verbs (or nothing)."""
    if words[0].startswith("-"):
        return True
    group = below(parser()) or {}
    if words[0] not in group:
        return False
    verbs = below(group[words[0]])
    return not verbs or len(words) == 1 or words[1] in verbs or words[1].startswith("-")


def below(level: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser] | None:
    """The commands one level below."""
    for action in level._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return None


@pytest.mark.parametrize("path", PAPERS, ids=named)
def test_no_paper_speaks_of_a_machine(path: Path) -> None:
    """No page names a path of whoever wrote it."""
    assert MACHINE.findall(prose(path)) == []


def test_pages_are_short() -> None:
    """The map and the guides have at most 120 lines; each guide begins with a short Korean summary."""
    for path in (ROOT / "ARCHITECTURE.md", *(ROOT / "docs" / f"{guide}.md" for guide in GUIDES)):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 120, named(path)
    for guide in GUIDES:
        lines = (ROOT / "docs" / f"{guide}.md").read_text(encoding="utf-8").splitlines()
        assert lines[2] == "**한국어 요약**"
        assert 3 <= len(lines[2 : lines.index("", 2)]) <= 12, guide


def test_the_readme_is_short_and_points_on() -> None:
    """A stranger reads the name, five lines, a picture, two commands, and where next."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = text.split("\n\n")[1]
    made = re.findall(r"^make (\w+)", text, re.MULTILINE)

    assert len(first.splitlines()) <= 5
    assert text.index("```") < text.index("## Two commands") < text.index("## Where next")
    assert made == ["demo", "test"]
    assert all(re.search(rf"^{verb}:", (ROOT / "Makefile").read_text(), re.MULTILINE) for verb in made)
    assert all(f"(docs/{guide}.md)" in text for guide in GUIDES)


def test_every_setting_is_explained_and_none_is_made_up() -> None:
    """The table of docs/operator.md and `Settings` have the same names."""
    table = (ROOT / "docs/operator.md").read_text(encoding="utf-8").split("| setting |")[1].split("\n\n")[0]
    told = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}

    assert told == set(Settings.model_fields)


def test_every_variable_named_is_a_setting() -> None:
    """`MYDATA_SOMETHING` on a page is a setting, or a variable that tests read."""
    tests = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("*.py"))
    for path in PAPERS:
        for name in re.findall(r"MYDATA_([A-Z_]+)", path.read_text(encoding="utf-8")):
            known_name = name.lower() in Settings.model_fields or f'"MYDATA_{name}"' in tests
            assert known_name, f"{named(path)}: MYDATA_{name}"


def test_the_operators_files_are_accepted(tmp_path: Path) -> None:
    """registry.yaml and gateway.yaml as printed pass the checks of a start."""
    registry, settings = fenced("operator", "yaml")
    (tmp_path / "registry.yaml").write_text(registry, encoding="utf-8")
    (tmp_path / "gateway.yaml").write_text(settings, encoding="utf-8")

    assert load_settings(tmp_path / "gateway.yaml").problems() == []
    assert load_registry(tmp_path / "registry.yaml", plain_http=False).holder("hanbit-bank")


def test_logs_and_numbers_named_for_the_operator_exist() -> None:
    """Each event and counter of the section stands in the source as a literal."""
    text = (ROOT / "docs/operator.md").read_text(encoding="utf-8")
    section = text.split("## Logs and numbers")[1].split("\n## ")[0]
    source = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "gateway").rglob("*.py"))
    for name in re.findall(r"`(\w+_\w+)`", section):
        assert f'"{name}"' in source, name


def test_every_error_code_told_to_companies_exists() -> None:
    """The table of docs/service-company.md names codes of problems.yaml, some by their beginning or end."""
    text = (ROOT / "docs/service-company.md").read_text(encoding="utf-8")
    codes = yaml.safe_load((ROOT / "gateway/problems.yaml").read_text(encoding="utf-8"))
    table = text.split("| code | status |")[1].split("\n\n")[0]
    for row in table.splitlines()[2:]:
        for name in re.findall(r"`([^`]+)`", row.split("|")[1]):
            pattern = re.escape(name).replace(r"\*", r"\w+").replace(r"\.\.\.", r"\w+")
            assert any(re.fullmatch(pattern, code) for code in codes), name


@pytest.mark.parametrize("page", ["regulator", "ledger"])
def test_every_finding_is_explained(page: str) -> None:
    """Each finding of the verifier stands in the table with its exit code, and nothing else does."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    told: dict[str, int] = {}
    for numbers, names in re.findall(r"\| ([\d, ]+) \| ((?:`\w+`(?:, )?)+)", text):
        told |= dict(zip(re.findall(r"\w+", names), map(int, numbers.split(",")), strict=True))

    assert told == {code: number for code, number in FINDINGS.items() if number != 2}
