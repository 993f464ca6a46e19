"""Pages from templates: autoescaped, and a missing value is an error, never a blank."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from gateway.errors import Language
from gateway.web.josa import josa
from gateway.web.static_files import StaticFiles
from gateway.web.words import words


@dataclass(frozen=True)
class Masthead:
    """What stands on every page: the names of the site and of its operator by language, and a contact."""

    name: dict[Language, str]
    operator: dict[Language, str]
    contact: str
    sandbox: bool


@dataclass(frozen=True)
class _Frame:
    name: str
    operator: str
    contact: str
    sandbox: bool
    signed_in: bool
    other_language: Language
    static: Any


class Renderer:
    """Renders `templates/pages/NAME.html`. Safe for any number of tasks."""

    def __init__(self, masthead: Masthead, static: StaticFiles) -> None:
        """Draw pages under `masthead` with the files of `static`."""
        self._masthead = masthead
        self.static = static

    def page(
        self, name: str, language: Language, *, status: int = 200, signed_in: bool = False, **values: Any
    ) -> HTMLResponse:
        """The page called `name` in `language`, with `values` for its template."""
        frame = _Frame(
            name=self._masthead.name[language],
            operator=self._masthead.operator[language],
            contact=self._masthead.contact,
            sandbox=self._masthead.sandbox,
            signed_in=signed_in,
            other_language="en" if language == "ko" else "ko",
            static=self.static.address,
        )
        template = _environment().get_template(f"pages/{name}.html")
        body = template.render(t=words(language), site=frame, **values)
        return HTMLResponse(
            body,
            status_code=status,
            headers={"content-language": language, "vary": "accept-language, cookie"},
        )

    def message(self, language: Language, title: str, about: str, *, status: int = 200) -> HTMLResponse:
        """A page that says one thing; `title` and `about` are keys of words."""
        t = words(language)
        said = (t(title), t(about))
        return self.page(
            "message", language, status=status, code=None, action=None, title=said[0], hint=said[1]
        )


@cache
def _environment() -> Environment:
    """Where templates are read and compiled, once in a process: nothing in it belongs to one site."""
    environment = Environment(
        loader=PackageLoader("gateway.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"josa": josa, "breakable": _breakable}
    return environment


def _breakable(text: str) -> Markup:
    """An address that may break after its @, for narrow screens."""
    return Markup("@<wbr>").join(escape(part) for part in text.split("@"))
