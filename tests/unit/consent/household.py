"""A request for data as the sandbox's household budget makes it, for tests to bend."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from consent.calendar import KST
from consent.catalogue import Catalogue, load
from consent.records import By, Consent, Move, State, move
from consent.subjects import SubjectId
from consent.terms import ClientInfo, HolderInfo, Terms, parse_details
from consent.text import Wording, build

TODAY = date(2026, 11, 22)
AT = int(datetime(2026, 11, 22, 12, 0, tzinfo=KST).timestamp())
CATALOGUE: Catalogue = load()
CLIENT = ClientInfo(
    id="deundeun-budget",
    purposes=frozenset({"household-finance"}),
    name={"ko": "든든가계부", "en": "Deundeun Budget"},
    legal_name="든든핀테크 주식회사",
    registration="2026-0417",
    contact="privacy@deundeun.example",
)
_HOLDERS = {
    "hanbit-bank": ("finance", "한빛은행", "Hanbit Bank"),
    "nuri-telecom": ("telecom", "누리텔레콤", "Nuri Telecom"),
    "haeoreum-energy": ("energy", "해오름에너지", "Haeoreum Energy"),
    "dadam-market": ("retail", "다담마켓", "Dadam Market"),
    "saebom-hospital": ("medical", "새봄병원", "Saebom Hospital"),
}
HOLDERS = {id: HolderInfo(id, sector, {"ko": ko, "en": en}) for id, (sector, ko, en) in _HOLDERS.items()}
BANK = "hanbit-bank/finance.deposit-transactions"
HOSPITAL = "saebom-hospital/medical.observations"
MARKET = "dadam-market/retail.orders"


def item(dataset: str, /, *fields: str, **members: Any) -> dict[str, Any]:
    """One item of a request."""
    return {
        "dataset": dataset,
        "fields": list(fields),
        "required": False,
        "frequency": "once",
        "history_from": "2026-05-01",
        **members,
    }


def of_holder(holder: str, /, *items: dict[str, Any], **members: Any) -> dict[str, Any]:
    """One object of a request."""
    return {
        "type": "mydata_transfer",
        "holder": holder,
        "purpose": "household-finance",
        "start": "2026-11-22",
        "end": "2027-05-21",
        "retention": "P90D",
        "items": list(items),
        **members,
    }


def bank(**members: Any) -> dict[str, Any]:
    """The bank's object of the request, its one item bent by `members`."""
    fields = ("account_num", "trans_dtime", "trans_amt", "balance_amt", "trans_memo")
    values = {"required": True, "frequency": "P7D", **members}
    return of_holder("hanbit-bank", item("finance.deposit-transactions", *fields, **values))


def details() -> list[dict[str, Any]]:
    """The whole request: bank required; hospital and market optional."""
    return [
        bank(),
        of_holder(
            "saebom-hospital",
            item("medical.observations", "code", "effectiveDateTime", "valueQuantity", "note"),
        ),
        of_holder(
            "dadam-market", item("retail.orders", "orderDate", "totalPrice", "orderedItem", frequency="P1D")
        ),
    ]


def parsed(request: object, client: ClientInfo = CLIENT, today: date = TODAY) -> Terms:
    """The terms of a request."""
    return parse_details(request, catalogue=CATALOGUE, holders=HOLDERS, client=client, today=today)


def wording(language: str) -> Wording:
    """What the text of a request is made from."""
    return Wording(CATALOGUE, HOLDERS, CLIENT, language, TODAY)


def consent(state: State = State.ACTIVE, terms: Terms | None = None) -> Consent:
    """A consent in `state`, as if it had come there in order."""
    terms = terms or parsed(details())
    asked = Consent(
        id="c-1",
        subject=SubjectId("s-1"),
        client_id=CLIENT.id,
        request_id="r-1",
        state=State.REQUESTED,
        version=0,
        asked=terms,
        terms=terms,
        text_hash=build(terms, wording("ko")).hash,
        language="ko",
        created_at=AT,
        changed_at=AT,
    )
    match state:
        case State.REQUESTED:
            return asked
        case State.REFUSED:
            return move(asked, Move.REFUSE, AT)
        case State.WITHDRAWN:
            withdrawn = move(move(asked, Move.GIVE, AT), Move.WITHDRAW, AT)
            return move(withdrawn, Move.COMPLETE, AT, by=By.GATEWAY)
    given = move(asked, Move.GIVE, AT)
    return Consent(**{name: getattr(given, name) for name in Consent.__slots__} | {"state": state})
