"""One small, complete bundle to seal in tests: a bank, a memo with secrets, a recipient with two keys."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.bundles.fields import DatasetRules, FieldRule
from gateway.bundles.manifest import (
    ConsentRef,
    DecisionRef,
    Draft,
    ItemScope,
    Obligations,
    Recipient,
    Source,
    Subject,
    Withheld,
)
from gateway.bundles.open import b64url
from gateway.bundles.plan import combined_hash, compile_plan
from gateway.bundles.pseudonym import SCOPE, Domain, SubjectKeys
from gateway.bundles.seal import Part, Sealed, seal
from gateway.bundles.treat import treat
from gateway.keyring import SigningKey

DATASET = "finance.deposit-transactions"
RRN = "900101-1234567"
RULES = (
    FieldRule("account_num", "pseudonymise", None, "identifier"),
    FieldRule("trans_no", "pseudonymise", None, "identifier"),
    FieldRule("trans_dtime", "truncate", "hour", "time"),
    FieldRule("trans_type", "keep", None, "code"),
    FieldRule("trans_amt", "keep", None, "money"),
    FieldRule("balance_amt", "round", 10000, "money"),
    FieldRule("trans_memo", "redact", None, "text"),
    FieldRule("user_ci", "suppress", None, "direct"),
)
GRANTED = ("account_num", "trans_dtime", "trans_amt", "balance_amt", "trans_memo")
ROOT = bytes(range(32))
SALT = bytes(range(32, 64))


def keys(recipient: str = "deundeun-budget", epoch: int = 1, salt: bytes = SALT) -> SubjectKeys:
    """The pseudonym keys of one citizen for one recipient and epoch."""
    return Domain.derive(ROOT, recipient, epoch).subject(salt)


def record(**changes: Any) -> bytes:
    """One deposit transaction in the holder's words, with things that must never leave."""
    body = {
        "account_num": "110123456789",
        "trans_no": "T-0001-CANARY",
        "trans_dtime": "20261122103045",
        "trans_type": "CANARY-TYPE",
        "trans_amt": 35000,
        "balance_amt": 1234567,
        "trans_memo": f"홍길동 {RRN} 010-1234-5678로 송금",
        "user_ci": "CANARY-CI",
        "unheard_of": {"deep": "CANARY-UNKNOWN"},
    }
    return orjson.dumps({**body, **changes})


@dataclass(frozen=True)
class Story:
    """A sealed bundle with everything needed to open it."""

    sealed: Sealed
    private_jwk: dict[str, Any]
    jwks: dict[str, Any]
    draft: Draft
    part: Part
    signer: SigningKey


def recipient_key(kid: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A fresh X25519 key: (private JWK, public JWK)."""
    key = X25519PrivateKey.generate()
    public = {"kty": "OKP", "crv": "X25519", "use": "enc", "kid": kid}
    public["x"] = b64url(key.public_key().public_bytes_raw())
    return {**public, "d": b64url(key.private_bytes_raw())}, public


def draft(**changes: Any) -> Draft:
    """The manifest of the story, before sealing."""
    plan = compile_plan(DatasetRules(DATASET, GRANTED, RULES))
    source = Source(
        holder="hanbit-bank",
        dataset=DATASET,
        standard="kr-mydata-finance",
        basis="portability",
        article="신용정보법 33-2",
        outcome="complete",
        transaction_id="HANBITBANKM00000000000001",
        retrieved_at=datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC),
        since=date(2026, 5, 1),
        until=date(2026, 11, 22),
        pages=1,
        records=3,
        plan_hash=plan.hash,
        part="hanbit-bank.deposit-transactions.ndjson",
    )
    scope = ItemScope(
        item=f"hanbit-bank/{DATASET}",
        required=True,
        asked=(*GRANTED, "trans_type"),
        consented=GRANTED,
        sent=GRANTED,
        withheld=(Withheld(field="trans_type", reason="not_consented"),),
    )
    made: dict[str, Any] = {
        "id": "bnd_01",
        "issuer": "https://mydata.example",
        "created": datetime(2026, 11, 22, 1, 2, 4, tzinfo=UTC),
        "recipient": Recipient(id="deundeun-budget", name={"ko": "든든가계부", "en": "Deundeun"}),
        "consent": ConsentRef(id="con_01", version=1, purpose="household-finance"),
        "request_id": "req_01",
        "subject": Subject(pseudonym=keys().pseudonym, scope=SCOPE, epoch=1),
        "scope": (scope,),
        "sources": (source,),
        "treatment": tuple(plan.notes()),
        "plan_hash": combined_hash([plan]),
        "obligations": Obligations(delete_by=date(2027, 2, 20)),
        "decision": DecisionRef(id="dec_01", revision="r1", engine="embedded"),
    }
    return Draft(**{**made, **changes})


def story(count: int = 3, seed: int = 7) -> Story:
    """Seal `count` records for one recipient key; the file is the same for the same seed but for its keys."""
    plan = compile_plan(DatasetRules(DATASET, GRANTED, RULES))
    treated = treat(plan, keys(), [record(trans_amt=n) for n in range(count)])
    part = Part("hanbit-bank.deposit-transactions.ndjson", "application/x-ndjson", treated.body)
    private_jwk, public_jwk = recipient_key("enc-1")
    _, other = recipient_key("enc-2")
    signer = SigningKey.of(ec.generate_private_key(ec.SECP256R1()))
    made = draft()
    sealed = seal(made, [part], [public_jwk, other], signer.sign, random.Random(seed).randbytes)
    return Story(sealed, private_jwk, {"keys": [signer.jwk()]}, made, part, signer)
