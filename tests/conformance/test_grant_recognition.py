"""What becomes of a recognition when its grant is merged or replaced (OpenID Connect Core 5.4, 5.5)."""

from __future__ import annotations

import json

import pytest

from tests.conformance.grants import changed
from tests.conformance.test_openid import recognised, userinfo
from tests.oauth_stage import Stage

LOCALE = json.dumps({"userinfo": {"locale": None}})


@pytest.mark.parametrize("scope", [None, "openid"])
async def test_merge_keeps_what_was_agreed(stage: Stage, scope: str | None) -> None:
    """Merged with or without openid: the language agreed to before is still told, under the same subject."""
    stage.ticked = frozenset({"locale"})
    before = await recognised(stage, scope="openid", claims=LOCALE)
    known = (await userinfo(stage, before["access_token"])).json()
    stage.ticked = frozenset()
    more = {} if scope is None else {"scope": scope}
    after = await changed(stage, "merge", before["grant_id"], "trans_dtime", "trans_amt", **more)
    assert (await userinfo(stage, after["access_token"])).json() == known
    assert (known["locale"], after["scope"]) == ("ko", "openid")
    assert (await userinfo(stage, before["access_token"])).status_code == 401


async def test_merge_follows_the_last_answer(stage: Stage) -> None:
    """Asked about the language again and not ticking it, the citizen has taken it back."""
    stage.ticked = frozenset({"locale"})
    before = await recognised(stage, scope="openid", claims=LOCALE)
    stage.ticked = frozenset()
    after = await changed(
        stage, "merge", before["grant_id"], "trans_dtime", "trans_amt", scope="openid", claims=LOCALE
    )
    assert "locale" not in (await userinfo(stage, after["access_token"])).json()


async def test_replace_keeps_nothing(stage: Stage) -> None:
    """Replaced without openid nobody is recognised any more; with it only what was agreed to now is told."""
    stage.ticked = frozenset({"locale"})
    before = await recognised(stage, scope="openid", claims=LOCALE)
    stage.ticked = frozenset()
    openly = await changed(stage, "replace", before["grant_id"], "trans_amt", scope="openid")
    assert set((await userinfo(stage, openly["access_token"])).json()) == {"sub"}
    bare = await changed(stage, "replace", before["grant_id"], "trans_amt")
    assert (await userinfo(stage, bare["access_token"])).status_code == 401
    assert "id_token" not in bare
