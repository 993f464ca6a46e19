"""`htu` comparison as RFC 3986 6.2 allows, and no further."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.oauth.dpop import same_target

URL = "https://gateway.test/a/token"


@pytest.mark.parametrize(
    "htu",
    [
        URL,
        "HTTPS://GATEWAY.TEST/a/token",
        "https://gateway.test:443/a/token",
        "https://gateway.test/a/token?x=1",
        "https://gateway.test/a/token#f",
        "https://gateway.test/%61/token",
    ],
)
def test_the_same_place(htu: str) -> None:
    """Case of scheme and host, default port, needless escapes, query and fragment do not matter."""
    assert same_target(htu, URL)


@pytest.mark.parametrize(
    "htu",
    [
        None,
        7,
        "",
        "/a/token",
        "http://gateway.test/a/token",
        "https://gateway.test:8443/a/token",
        "https://gateway.test/a/token/",
        "https://gateway.test/A/token",
        "https://gateway.test/a%2Ftoken",
        "https://user@gateway.test/a/token",
        "https://gateway.test.evil.example/a/token",
        "https://gateway.test/a/token ",
        "https://gateway.test/a/\ttoken",
        "https://gateway.test:port/a/token",
        "https://[gateway.test/a/token",
        "x" * 3000,
    ],
)
def test_another_place(htu: object) -> None:
    """Everything else does, and nothing breaks the comparison."""
    assert not same_target(htu, URL)


@given(st.text(max_size=100))
def test_no_text_breaks_it(text: str) -> None:
    """Any text gives an answer."""
    assert same_target(text, URL) in (True, False)


def test_an_external_prefix_counts() -> None:
    """The address is the external one, path prefix included."""
    assert same_target("https://x.test/api/token", "https://x.test/api/token")
    assert not same_target("https://x.test/token", "https://x.test/api/token")
