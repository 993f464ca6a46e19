"""The sandbox telephone company: Korean MyData telecom (`/v1/telecom/...`) over people's contracts."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.sandbox.holder import HolderConfig, SandboxHolder
from connectors.sandbox.korean import KoreanDoor, korean_answer
from connectors.sandbox.refused import Refused

CONTRACTS = "telecom.contracts"
BILLS = "telecom.bills"
PAID = "telecom.paid-transactions"
DATASETS = (CONTRACTS, BILLS, PAID)


class TelephoneCompany:
    """Three doors: contracts, the bills of one month, the payments of one contract."""

    def __init__(self, holder: SandboxHolder) -> None:
        """Serve the people of `holder`."""
        self._holder = holder
        self._door = KoreanDoor(holder)

    async def contracts(self, request: Request) -> Response:
        """GET /v1/telecom/telecoms: every contract, chosen or not (`is_consent`)."""
        call = await self._door.call(request, *DATASETS, listing=True)
        rows = [
            {
                "mgmt_id": contract.mgmt_id,
                "is_consent": contract.is_consent,
                "telecom_num": contract.telecom_num,
                "type": contract.type,
                "status": contract.status,
            }
            for contract in self._holder.person(call.grant).contracts
        ]
        return self._door.answer(call, {"telecom_cnt": len(rows), "telecom_list": rows})

    async def bills(self, request: Request) -> Response:
        """GET /v1/telecom/telecoms/bills?charge_month: one month's bills of every contract."""
        call = await self._door.call(request, BILLS)
        month = call.text("charge_month")
        rows = [
            {"mgmt_id": contract.mgmt_id, "charge_amt": bill.charge_amt, "charge_date": bill.charge_date}
            for contract in self._holder.person(call.grant).contracts
            for bill in contract.bills
            if bill.charge_month == month
        ]
        return self._door.answer(call, {"bill_cnt": len(rows), "bill_list": rows})

    async def paid(self, request: Request) -> Response:
        """POST /v1/telecom/telecoms/paid-transactions: one contract's payments between two days."""
        call = await self._door.call(request, PAID)
        number, since, until = call.text("mgmt_id"), call.text("from_date"), call.text("to_date")
        chosen = [
            contract
            for contract in self._holder.person(call.grant).contracts
            if contract.mgmt_id == number and contract.is_consent
        ]
        if not chosen:
            raise Refused(403, "access_denied", "foreign_account")
        rows = [
            {
                "trans_date": paid.trans_date,
                "trans_amt": paid.trans_amt,
                "merchant_name": paid.merchant_name,
                "trans_title": paid.trans_title,
            }
            for paid in chosen[0].paid
            if since <= paid.trans_date <= until
        ]
        return self._door.page(call, "trans", rows, f"{number}|{since}|{until}")


def create(config: HolderConfig) -> Starlette:
    """The telephone company's whole server."""
    holder = SandboxHolder(config)
    company = TelephoneCompany(holder)
    doors = [
        Route("/v1/telecom/telecoms", company.contracts, methods=["GET"]),
        Route("/v1/telecom/telecoms/bills", company.bills, methods=["GET"]),
        Route("/v1/telecom/telecoms/paid-transactions", company.paid, methods=["POST"]),
    ]
    return holder.app(doors, korean_answer)
