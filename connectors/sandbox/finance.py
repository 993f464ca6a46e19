"""The sandbox bank: Korean financial MyData (`/v1/bank/...`) over the accounts of sandbox people."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.sandbox.holder import HolderConfig, SandboxHolder
from connectors.sandbox.korean import Call, KoreanDoor, korean_answer
from connectors.sandbox.lives import DepositAccount
from connectors.sandbox.refused import Refused

TRANSACTIONS = "finance.deposit-transactions"
DATASETS = (TRANSACTIONS,)


class Bank:
    """Two doors: the person's accounts, and the lines of one account the person chose."""

    def __init__(self, holder: SandboxHolder) -> None:
        """Serve the people of `holder`."""
        self._holder = holder
        self._door = KoreanDoor(holder)

    async def accounts(self, request: Request) -> Response:
        """GET /v1/bank/accounts: every account, chosen or not (`is_consent`)."""
        call = await self._door.call(request, TRANSACTIONS, listing=True)
        rows = [
            {
                "account_num": account.account_num,
                "is_consent": account.is_consent,
                "seqno": account.seqno,
                "currency_code": account.currency_code,
                "prod_name": account.prod_name,
                "account_type": account.account_type,
                "account_status": account.account_status,
            }
            for account in self._holder.person(call.grant).accounts
        ]
        return self._door.page(call, "account", rows, "")

    async def transactions(self, request: Request) -> Response:
        """POST /v1/bank/accounts/deposit/transactions: one account's lines between two moments."""
        call = await self._door.call(request, TRANSACTIONS)
        account = self._account(call)
        since, until = call.text("from_dtime"), call.text("to_dtime")
        rows = [
            {
                "trans_dtime": line.trans_dtime,
                "trans_no": line.trans_no,
                "trans_type": line.trans_type,
                "trans_class": line.trans_class,
                "currency_code": account.currency_code,
                "trans_amt": line.trans_amt,
                "balance_amt": line.balance_amt,
                "trans_memo": line.trans_memo,
            }
            for line in account.transactions
            if since <= line.trans_dtime <= until
        ]
        return self._door.page(call, "trans", rows, f"{account.account_num}|{since}|{until}")

    def _account(self, call: Call) -> DepositAccount:
        number, seqno = call.text("account_num"), call.text("seqno")
        for account in self._holder.person(call.grant).accounts:
            if (account.account_num, account.seqno) == (number, seqno) and account.is_consent:
                return account
        raise Refused(403, "access_denied", "foreign_account")


def create(config: HolderConfig) -> Starlette:
    """The bank's whole server."""
    holder = SandboxHolder(config)
    bank = Bank(holder)
    doors = [
        Route("/v1/bank/accounts", bank.accounts, methods=["GET"]),
        Route("/v1/bank/accounts/deposit/transactions", bank.transactions, methods=["POST"]),
    ]
    return holder.app(doors, korean_answer)
