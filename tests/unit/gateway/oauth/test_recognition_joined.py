"""What a citizen agreed to about recognition, merged with what they agreed to before."""

from __future__ import annotations

from gateway.oauth.recognition import Recognition, joined
from gateway.security.sessions import SignedIn

HOW = SignedIn(1, None, ())
BEFORE = Recognition("s", "openid profile", HOW, "n-1", {"locale": ["userinfo"]}, "en")
NOW = Recognition("s", "openid", HOW, "n-2", {"auth_time": ["id_token"]})


def test_a_merge_keeps_what_it_did_not_ask_again() -> None:
    """The language and the scope agreed before stay; the nonce is the new one."""
    both = joined(BEFORE, NOW, ())
    assert (both.scope, both.locale, both.nonce) == ("openid profile", "en", "n-2")
    assert both.claims_for("userinfo") == {"locale": "en"}


def test_a_claim_asked_again_follows_the_last_answer() -> None:
    """A box that stood on the page again and was left unticked is not told."""
    assert joined(BEFORE, NOW, ("locale",)).claims_for("userinfo") == {}
