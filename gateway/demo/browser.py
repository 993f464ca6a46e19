"""A browser with neither scripts nor styles: follows redirects, reads forms, keeps cookies.

The citizen of the demo and of the flow tests uses the pages as a person with a plain browser would.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx


@dataclass
class Field:
    """One control of a form as the page shows it."""

    name: str
    value: str
    kind: str
    checked: bool = False


@dataclass
class Form:
    """One form of a page: where it goes and what it holds."""

    action: str
    method: str
    fields: list[Field] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.refresh: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("method", "get").lower()))
        elif tag == "input" and self.forms and found.get("name"):
            kind = found.get("type", "text")
            self.forms[-1].fields.append(
                Field(found["name"], found.get("value", "on"), kind, "checked" in found)
            )
        elif tag == "button" and self.forms and found.get("name"):
            self.forms[-1].fields.append(Field(found["name"], found.get("value", ""), "submit"))
        elif tag == "a" and "href" in found:
            self.links.append((found["href"], ""))
        elif tag == "meta" and found.get("http-equiv", "").lower() == "refresh":
            self.refresh = found.get("content", "").partition("url=")[2] or None

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(data.strip())


@dataclass
class Page:
    """What the browser shows: its address, status, forms, links and words."""

    url: str
    status: int
    text: str
    forms: list[Form]
    links: list[str]
    words: str
    refresh: str | None

    def form(self, with_field: str) -> Form:
        """The form that has a control named `with_field`; KeyError if the page has none."""
        for form in self.forms:
            if any(f.name == with_field for f in form.fields):
                return form
        raise KeyError(f"no form with {with_field} on {urlsplit(self.url).path}: {self.words[:300]}")


class Left(Exception):
    """The browser was sent to another site; `query` is what it carried there."""

    def __init__(self, url: str) -> None:
        """Remember where to."""
        super().__init__(urlsplit(url).path)
        self.url = url
        self.query = dict(parse_qsl(urlsplit(url).query))


class Browser:
    """One person's browser."""

    def __init__(self, http: httpx.AsyncClient, stay: tuple[str, ...], language: str = "ko") -> None:
        """Visit only origins in `stay`; leaving them raises `Left`."""
        self.http, self.stay, self.language = http, stay, language
        self.visited: list[str] = []

    async def open(self, url: str) -> Page:
        """Go to an address, following redirects."""
        return await self._go("GET", url, None)

    async def submit(self, page: Page, form: Form, choose: dict[str, str | list[str] | None]) -> Page:
        """Send a form as shown, with `choose` set; unticked boxes and other buttons are not sent."""
        chosen: list[tuple[str, str]] = []
        for shown in form.fields:
            if shown.name in choose:
                continue
            if shown.kind == "submit" or (shown.kind in {"checkbox", "radio"} and not shown.checked):
                continue
            chosen.append((shown.name, shown.value))
        for name, value in choose.items():
            values = value if isinstance(value, list) else [] if value is None else [value]
            chosen += [(name, v) for v in values]
        return await self._go(form.method.upper(), urljoin(page.url, form.action), chosen, page.url)

    async def _go(self, method: str, url: str, data: list[tuple[str, str]] | None, origin: str = "") -> Page:
        for _ in range(12):
            parts = urlsplit(url)
            if f"{parts.scheme}://{parts.netloc}" not in self.stay:
                raise Left(url)
            self.visited.append(f"{method} {parts.path}")
            response = await self._request(method, url, data, origin)
            if response.status_code not in {301, 302, 303, 307, 308}:
                return _read(url, response)
            method, data, url = "GET", None, urljoin(url, response.headers["location"])
        raise RuntimeError("too many redirects")

    async def _request(
        self, method: str, url: str, data: list[tuple[str, str]] | None, origin: str
    ) -> httpx.Response:
        headers = {"Accept": "text/html", "Accept-Language": self.language}
        if method == "POST":
            parts = urlsplit(origin or url)
            target = urlsplit(url)
            same = (parts.scheme, parts.netloc) == (target.scheme, target.netloc)
            headers |= {
                "Origin": f"{parts.scheme}://{parts.netloc}",
                "Sec-Fetch-Site": "same-origin" if same else "cross-site",
            }
            body = urlencode(data or []).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            return await self.http.post(url, content=body, headers=headers, follow_redirects=False)
        return await self.http.get(url, headers=headers, follow_redirects=False)


def _read(url: str, response: httpx.Response) -> Page:
    reader = _Reader()
    if response.headers.get("content-type", "").startswith("text/html"):
        reader.feed(response.text)
    links = [urljoin(url, href) for href, _ in reader.links]
    refresh = urljoin(url, reader.refresh) if reader.refresh else None
    return Page(
        url, response.status_code, response.text, reader.forms, links, " ".join(reader.words), refresh
    )
