"""Who takes part in the demo: five holders, one identity provider, one service company, one consortium."""

from __future__ import annotations

from typing import Any

from gateway.demo.company import CompanyKeys

OPERATOR = "mydata-gateway"
CLIENT = "deundeun-budget"
HOLDERS: dict[str, dict[str, Any]] = {
    "finance": {
        "id": "hanbit-bank",
        "org_code": "HANBIT0001",
        "name": {"ko": "한빛은행", "en": "Hanbit Bank"},
    },
    "telecom": {
        "id": "nuri-telecom",
        "org_code": "NURITL0001",
        "name": {"ko": "누리텔레콤", "en": "Nuri Telecom"},
    },
    "energy": {
        "id": "haeoreum-energy",
        "org_code": "HAEORM0001",
        "name": {"ko": "해오름에너지", "en": "Haeoreum Energy"},
    },
    "retail": {
        "id": "dadam-market",
        "org_code": "DADAMM0001",
        "name": {"ko": "다담마켓", "en": "Dadam Market"},
    },
    "medical": {
        "id": "saebom-hospital",
        "org_code": "SAEBOM0001",
        "name": {"ko": "새봄병원", "en": "Saebom Hospital"},
    },
}


def registry(identity_origin: str, origins: dict[str, str]) -> dict[str, Any]:
    """The registry file of the demo; `origins` are the holders' by sector."""
    return {
        "operator": {
            "role": "sandbox",
            "code": OPERATOR,
            "name": {"ko": "마이데이터 게이트웨이(체험용)", "en": "MyData Gateway (sandbox)"},
            "contact": "privacy@mydata.example",
        },
        "identity": {
            "issuer": identity_origin,
            "client_id": OPERATOR,
            "name": {"ko": "체험용 본인확인", "en": "Sandbox identity provider"},
            "acr_values": ["urn:mydata:acr:sandbox"],
        },
        "holders": [{**HOLDERS[s], "sector": s, "origin": origins[s]} for s in HOLDERS],
        "consortia": [
            {
                "id": "consortium-2026-01",
                "contract": "2026-가계-001",
                "holders": [h["id"] for h in HOLDERS.values()],
                "recipients": [CLIENT],
                "sectors": list(HOLDERS),
                "purposes": ["household-finance"],
                "start": "2026-01-01",
                "end": "2029-12-31",
            }
        ],
    }


def client(keys: CompanyKeys, redirect_uri: str) -> dict[str, Any]:
    """What the service company registers. Its kind differs by sector, as the law has it."""
    return {
        "client_id": CLIENT,
        "name": {"ko": "든든가계부", "en": "Deundeun Budget"},
        "legal_name": "주식회사 든든",
        "registration": "123-45-67890",
        "contact": "privacy@deundeun.example",
        "redirect_uris": [redirect_uri],
        "kinds": {
            "finance": "licensed_operator",
            "telecom": "general",
            "energy": "specialised",
            "retail": "contract",
            "medical": "special",
        },
        "jwks": keys.jwks(),
    }


def details(today: str, history: str, end: str) -> list[dict[str, Any]]:
    """What the company asks: five holders, some items optional, some fields sensitive, one too often."""
    common = {
        "type": "mydata_transfer",
        "purpose": "household-finance",
        "start": today,
        "end": end,
        "retention": "P90D",
    }

    def item(dataset: str, fields: str, *, required: bool, frequency: str) -> dict[str, Any]:
        return {
            "dataset": dataset,
            "fields": fields.split(),
            "required": required,
            "frequency": frequency,
            "history_from": history,
        }

    asked = {
        "hanbit-bank": [
            item(
                "finance.deposit-transactions",
                "account_num trans_dtime trans_type trans_amt balance_amt currency_code trans_memo",
                required=True,
                frequency="P7D",
            )
        ],
        "nuri-telecom": [
            item("telecom.bills", "charge_month charge_amt", required=True, frequency="once"),
            item("telecom.contracts", "type status", required=False, frequency="once"),
            item(
                "telecom.paid-transactions",
                "trans_date trans_amt merchant_name",
                required=False,
                frequency="P7D",
            ),
        ],
        "haeoreum-energy": [
            item("energy.electricity-usage", "start duration_s value unit", required=False, frequency="P7D")
        ],
        "dadam-market": [
            item(
                "retail.orders",
                "orderNumber orderDate totalPrice priceCurrency orderedItem",
                required=False,
                frequency="once",
            )
        ],
        "saebom-hospital": [
            item(
                "medical.observations",
                "code effectiveDateTime valueQuantity note",
                required=False,
                frequency="once",
            )
        ],
    }
    return [{**common, "holder": holder, "items": items} for holder, items in asked.items()]
