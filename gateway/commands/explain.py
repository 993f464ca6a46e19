"""What a command says instead of a traceback: one line a finding, for the person at the terminal."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway.commands.inputs import InputUnusableError, printable
from gateway.errors import Problem, catalogue
from gateway.settings import SettingsError

MAX_DETAIL = 300


def explain(error: Exception) -> list[str]:
    """The lines that explain `error`; none for an error nobody foresaw, whose traceback is worth seeing.

    The operator is who reads this: unlike a door, it shows the private detail (file names, what the store
    said). Never the statement or the parameters of the store.
    """
    if isinstance(error, SettingsError):
        return ["The settings cannot be used:", *(f"  {one}" for one in (*error.problems, *_place(error)))]
    if isinstance(error, InputUnusableError):
        return [f"mydata: {error}"]
    if isinstance(error, SQLAlchemyError):
        cause = error.orig if isinstance(error, DBAPIError) else None
        return _problem(Problem("storage_unavailable", detail=_first_line(cause or type(error).__name__)))
    if isinstance(error, Problem):
        return _problem(error)
    code = getattr(error, "code", None)
    if isinstance(code, str):
        return _problem(Problem.of(error)) if code in catalogue() else [f"{code}: {_first_line(error)}"]
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return [f"mydata: {where}{error.strerror or error}"]
    return []


def _problem(problem: Problem) -> list[str]:
    """Code, what happened, what to do, and in brackets what exactly."""
    said = " ".join(part for part in (problem.title("en"), problem.hint("en")) if part)
    detail = _first_line(problem.detail)
    known = not detail or detail == problem.code or detail in said
    return [f"{problem.code}: {said}" + ("" if known else f" ({detail})")]


def _place(error: SettingsError) -> list[str]:
    """Where in a YAML file its reader stopped."""
    mark = getattr(error.__cause__, "problem_mark", None)
    return [f"look at line {mark.line + 1}, column {mark.column + 1}"] if mark else []


def _first_line(what: object) -> str:
    return printable(str(what).partition("\n")[0])[:MAX_DETAIL]
