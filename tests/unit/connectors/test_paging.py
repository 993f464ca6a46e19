"""Paging functions: what leads on, what ends, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Reason
from connectors.errors import HolderError
from connectors.origins import inside, origin_of
from connectors.paging import Trail, bundle_next, header_next, next_url, opaque_cursor

ORIGIN = "https://holder.example"
PAGE = f"{ORIGIN}/orders?page=2"


def _refused(call: Any, reason: Reason) -> None:
    with pytest.raises(HolderError) as caught:
        call()
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        (None, None),
        ("", None),
        ("?page=3", f"{ORIGIN}/orders?page=3"),
        ("/orders?page=3", f"{ORIGIN}/orders?page=3"),
        (f"{ORIGIN}:443/orders?page=3", f"{ORIGIN}:443/orders?page=3"),
        ("HTTPS://HOLDER.example/x", "https://HOLDER.example/x"),
        ("/a#b", f"{ORIGIN}/a"),
    ],
)
def test_a_next_inside_the_holder_is_absolute(reference: str | None, url: str | None) -> None:
    """Relative and absolute references resolve; none and empty end."""
    assert next_url(ORIGIN, PAGE, reference) == url


@pytest.mark.parametrize(
    "reference",
    [
        "http://holder.example/orders",
        "https://holder.example.evil.example/orders",
        "https://evil.example/orders",
        "https://holder.example:8443/orders",
        "https://holder.example@evil.example/",
        "https://user@holder.example/",
        "//evil.example/orders",
        "/\\evil.example/orders",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "https://[bad",
        "https://holder.example:99999/",
        " https://holder.example/x",
        "/x\r\nHost: evil",
    ],
)
def test_a_next_that_leaves_the_holder_is_refused(reference: str) -> None:
    """Other scheme, host, port, user name, odd syntax: foreign, never followed."""
    _refused(lambda: next_url(ORIGIN, PAGE, reference), Reason.FOREIGN_NEXT)


@pytest.mark.parametrize("reference", ["?page=2", PAGE, f"{PAGE}#top", "/orders?page=2"])
def test_a_next_that_is_the_page_itself_is_corrupt(reference: str) -> None:
    """A page cannot follow itself."""
    _refused(lambda: next_url(ORIGIN, PAGE, reference), Reason.CORRUPT)


@pytest.mark.parametrize("reference", [7, ["x"], {"href": "x"}, True])
def test_a_next_that_is_no_text_is_corrupt(reference: Any) -> None:
    """Links are text."""
    _refused(lambda: next_url(ORIGIN, PAGE, reference), Reason.CORRUPT)


def test_a_trail_goes_through_a_cursor_once() -> None:
    """Whatever circle a holder leads us in, the second visit is refused."""
    trail = Trail()
    assert [trail.step(cursor) for cursor in ("a", "b", None)] == ["a", "b", None]
    _refused(lambda: trail.step("a"), Reason.CORRUPT)


@pytest.mark.parametrize(
    ("value", "cursor"), [(None, None), ("", None), ("abc", "abc"), (42, "42"), (0, "0")]
)
def test_an_opaque_cursor_is_taken_as_it_is(value: Any, cursor: str | None) -> None:
    """Text and whole numbers; absent, null and empty end."""
    assert opaque_cursor(value) == cursor


@pytest.mark.parametrize("value", [True, False, 1.5, [], {}, "x" * 1001])
def test_a_cursor_of_another_kind_is_corrupt(value: Any) -> None:
    """Including one longer than the standard allows."""
    _refused(lambda: opaque_cursor(value), Reason.CORRUPT)


def test_the_next_of_a_bundle() -> None:
    """FHIR Bundle.link: the one with relation next; two are ambiguous."""
    self_link = {"relation": "self", "url": "a"}
    assert bundle_next([self_link, {"relation": "next", "url": "b"}]) == "b"
    assert bundle_next([self_link]) is None
    assert bundle_next(None) is None
    _refused(
        lambda: bundle_next([{"relation": "next", "url": "a"}, {"relation": "next", "url": "b"}]),
        Reason.CORRUPT,
    )


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("", None),
        ("<b>; rel=next", "b"),
        ('<a,b;c>; title="x, y"; rel="prev next", <z>; rel="last"', "a,b;c"),
        ('<z>; rel="last"', None),
        ("nonsense", None),
    ],
)
def test_the_next_of_a_link_header(header: str | None, found: str | None) -> None:
    """RFC 8288: quoted or not, several relations, commas inside."""
    assert header_next(header) == found


@given(st.text(max_size=60))
def test_whatever_a_holder_writes_we_stay_inside(reference: str) -> None:
    """No text at all leads out of the origin: it resolves inside or is refused."""
    try:
        url = inside(ORIGIN, reference, PAGE)
    except HolderError:
        return
    assert origin_of(url) == ("https", "holder.example", 443)
