"""Whatever prints a value in passing (an error, a debugger, a log) shows no secret and nothing personal."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors import http
from connectors.contract import Outcome, Page, Record, Tombstone
from connectors.progress import Progress
from connectors.runtime import Pulled
from gateway.oauth.answers import Answer
from gateway.oauth.client_assertion import Presented
from gateway.oauth.exchange import Arrival
from gateway.oauth.jws import Jws
from gateway.oauth.tokens import Minted
from gateway.security.citizens import SignIn
from gateway.settings import Settings
from gateway.transfers.pull import Order, Wanted

SECRET = "김하늘-900101-1234567"
BYTES = SECRET.encode()
NOW = datetime(2026, 11, 22, tzinfo=UTC)
RECORD = Record(SECRET, BYTES)
JWS = Jws({"alg": "ES256"}, {"jti": SECRET}, BYTES, BYTES)

SHOWN: dict[str, Any] = {
    "record": RECORD,
    "tombstone": Tombstone(SECRET),
    "progress": Progress({SECRET: RECORD}, [RECORD, Tombstone(SECRET)]),
    "page": Page(f"https://bank.test/?next={SECRET}", BYTES, {"link": SECRET}),
    "answer of a holder": http.Answer(200, f"https://bank.test/{SECRET}", {"x": SECRET}, BYTES),
    "pulled": Pulled("bank", "d", Outcome.COMPLETE, (RECORD,), (), 1, 1, 1, None, NOW, NOW),
    "order": Order("t", "c", 1, 9, (Wanted("b", "d", ("f",), date.min, date.max, "x"),), {"b": SECRET}),
    "minted": Minted(SECRET, 600, "jti"),
    "arrival": Arrival({"code": SECRET}, (SECRET,), "https://us.test/token", 1),
    "assertion": Presented(JWS, "https://us.test", 1, "client"),
    "answer of a door": Answer(200, {"access_token": SECRET}, {"Location": f"?code={SECRET}"}),
    "sign-in": SignIn("s", "b", SECRET, SECRET, "/my/consents", "ko"),
    "settings": Settings(
        issuer="https://us.test",
        database=f"postgresql+asyncpg://mydata:{SECRET}@db/mydata",
        keys=Path("k"),
        registry=Path("r"),
    ),
}


@pytest.mark.parametrize("what", SHOWN)
def test_no_repr_shows_what_it_holds(what: str) -> None:
    """The planted name and number are nowhere in the text, not as bytes either."""
    told = repr(SHOWN[what])

    assert SECRET not in told
    assert repr(BYTES)[2:-1] not in told
