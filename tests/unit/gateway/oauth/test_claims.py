"""The claims parameter and the scope: read in one way or refused, whatever arrives."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.oauth.claims import PERSONAL, SUPPORTED, Wish, read_claims
from gateway.oauth.openid_request import SCOPES, authorization_scope, kept_of, of_kept, without_hint
from gateway.oauth.refusals import OAuthRefusal

Read = TypeVar("Read")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
ASKED = st.fixed_dictionaries({}, optional={"id_token": JSON, "userinfo": JSON, "other": JSON})


def no_hint(_text: str) -> str:
    """A reader of hints that knows none."""
    raise OAuthRefusal("invalid_request", what="no hint")


def attempted(read: Callable[[str], Read], text: str) -> tuple[Read | None, str | None]:
    """What was read, or the code of the refusal."""
    try:
        return read(text), None
    except OAuthRefusal as refused:
        return None, refused.code


@settings(deadline=None)
@given(ASKED.map(json.dumps) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """A request comes out or `invalid_request`; personal claims are only ever those there are."""
    found, code = attempted(read_claims, text)
    assert (found is None) is (code == "invalid_request")
    if found is None:
        return
    assert set(found.places("openid profile")) <= set(PERSONAL)
    assert all(isinstance(value, str) for value in (*found.subjects, *found.wished_acrs))


@settings(deadline=None)
@given(st.text(max_size=40))
def test_a_scope_is_known_ignored_or_refused(text: str) -> None:
    """What comes out is known, in one order, and has openid or nothing."""
    scope, code = attempted(authorization_scope, text)
    assert (scope is None) is (code == "invalid_scope")
    if scope is None:
        return
    assert scope in ("", "openid", "openid profile")
    assert (scope == "") is not ("openid" in text.split())


def test_what_is_kept_means_the_same_when_read_again() -> None:
    """Every parameter of the request, there and back."""
    claims = {"id_token": {"acr": {"essential": True, "values": ["a", "b"]}, "sub": {"value": "s"}}}
    form = {
        "scope": "profile x openid", "prompt": "login consent", "max_age": "60", "acr_values": "c a",
        "login_hint": "me", "claims": json.dumps(claims), "id_token_hint": "jwt", "display": "page",
    }  # fmt: skip
    kept = kept_of(form, lambda _hint: "s")
    asked = of_kept({**kept, "nonce": "n"})
    assert (asked.scope, asked.recognising, asked.silent) == ("openid profile", True, False)
    assert (asked.oldest, asked.max_age, asked.needs_auth_time) == (0, 60, True)
    assert asked.acr_values == ("c", "a", "b")
    assert asked.claims.acrs == ("a", "b")
    assert asked.personal == {"locale": ("userinfo",)}
    assert asked.may_be("s")
    assert not asked.may_be("t")
    assert "display" not in kept
    assert "id_token_hint" not in kept
    assert "me" not in repr(asked)


def test_a_hint_and_a_claim_that_differ_fit_nobody() -> None:
    """Both must be met."""
    claims = json.dumps({"id_token": {"sub": {"value": "one"}}})
    asked = of_kept({"claims": claims, "hinted": "two", "scope": "openid"})
    assert not asked.may_be("one")
    assert not asked.may_be("two")


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        (None, Wish()),
        ({}, Wish()),
        ({"essential": True}, Wish(True)),
        ({"value": "a", "values": ["b", 7]}, Wish(False, ("a", "b"))),
        ({"unknown": 1}, Wish()),
    ],
)
def test_every_form_of_asking(wish: Any, found: Wish) -> None:
    """Core 5.5.1: null, essential, value, values; unknown members are ignored."""
    assert read_claims(json.dumps({"id_token": {"acr": wish}})).id_token == {"acr": found}


def test_nothing_is_offered_that_is_not_there() -> None:
    """The metadata's list has the personal claims and no name, contact or birthdate."""
    assert set(PERSONAL) <= set(SUPPORTED)
    assert not {"name", "email", "phone_number", "address", "birthdate", "age"} & set(SUPPORTED)
    assert SCOPES == ("openid", "profile")


def test_a_hint_that_cannot_be_read_is_refused_and_a_login_hint_goes() -> None:
    """The refusal of the hint is the request's; the stored text loses the login_hint and nothing else."""
    with pytest.raises(OAuthRefusal):
        kept_of({"id_token_hint": "x"}, no_hint)
    stored = json.dumps({"login_hint": "me", "nonce": "n"})
    assert json.loads(without_hint(stored)) == {"nonce": "n"}
    assert without_hint("{}") == "{}"
