"""The citizen's pages, put together from the parts of the gateway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cryptography.x509 import Certificate
from starlette.routing import Route

from connectors.authorization import link
from connectors.contract import Reason
from connectors.errors import HolderError
from consent import signatures
from consent.parties import HolderInfo
from consent.receipts import House
from gateway.account_listing import listing
from gateway.awareness.papers import Publisher
from gateway.awareness.questionnaire import Questionnaire
from gateway.oauth.answering import Answering
from gateway.oauth.server import GatewayAuthorizationServer
from gateway.parts import Parts
from gateway.policy.memory import Memory
from gateway.receipts import Receipts, hook
from gateway.security.sessions import Sessions
from gateway.settings import Settings, SettingsError
from gateway.transfers.consequences import after_change, after_ending
from gateway.web import oversight
from gateway.web.openid import OpenIdProvider, RelyingParty
from gateway.web.reader_sessions import ReaderSessions
from gateway.web.rendering import Masthead, Renderer
from gateway.web.site import Site
from gateway.web.static_files import StaticFiles


def holders_of(parts: Parts) -> dict[str, HolderInfo]:
    """The registered holders by id, as consents name them."""
    return {
        h.id: HolderInfo(h.id, h.sector, {"ko": h.name.ko, "en": h.name.en}) for h in parts.registry.holders
    }


def sessions_of(parts: Parts) -> Sessions:
    """The citizens' sessions."""
    return Sessions(secure=parts.settings.issuer.startswith("https://"), clock=parts.clock)


def site_of(parts: Parts, server: GatewayAuthorizationServer) -> Site:
    """The site of a running gateway; `server` ends what the citizen answers."""
    settings, registry = parts.settings, parts.registry
    masthead = Masthead(
        name={"ko": "마이데이터 게이트웨이", "en": "MyData Gateway"},
        operator={"ko": registry.operator.name.ko, "en": registry.operator.name.en},
        contact=registry.operator.contact,
        sandbox=registry.operator.role == "sandbox",
    )
    party = RelyingParty(
        registry.identity.client_id, f"{settings.issuer}/sign-in/return", parts.keys.holder_requests.sign
    )
    receipts = receipts_of(parts, server)
    return Site(
        origin=settings.issuer,
        party=registry.operator.code,
        database=parts.database,
        clock=parts.clock,
        catalogue=parts.catalogue,
        holders=holders_of(parts),
        journal=parts.journal,
        sessions=sessions_of(parts),
        renderer=Renderer(masthead, StaticFiles()),
        identity=OpenIdProvider(registry.identity.issuer, party, parts.gateway.client, clock=parts.clock),
        provider={"ko": registry.identity.name.ko, "en": registry.identity.name.en},
        identity_key=parts.keys.identity,
        make_link=_make_link(parts),
        answering=Answering(server),
        after_withdrawal=after_ending(parts.worker, parts.notices),
        after_change=after_change(parts.worker, parts.notices),
        patience=parts.notices.patience,
        receipt=hook(receipts),
        receipts=receipts,
        anchors=_anchors(settings),
        may_grant=parts.log.refuse_if_behind,
        list_accounts=listing(parts),
        tell_holders=parts.notices.wake,
        own=parts.own.asking,
        questionnaire=Questionnaire.of(parts.database, parts.keys.pairwise, parts.clock),
    )


def publisher_of(parts: Parts) -> Publisher:
    """Who publishes statistics here."""
    operator = parts.registry.operator
    return Publisher(
        parts.settings.issuer, {"ko": operator.name.ko, "en": operator.name.en}, operator.contact
    )


def oversight_of(parts: Parts, memory: Memory, renderer: Renderer) -> list[Route]:
    """The pages of regulators and operators with an account."""
    secure = parts.settings.issuer.startswith("https://")
    sessions = ReaderSessions(parts.readers, parts.keys.pairwise, parts.clock, secure=secure)
    pages = oversight.Oversight(renderer, memory, sessions, parts.clock)
    return oversight.routes(pages, renderer, secure=secure)


def _anchors(settings: Settings) -> tuple[Certificate, ...]:
    """Whose certificates citizens may sign under. Raises SettingsError for a folder that gives none."""
    folder = settings.signature_anchors
    if folder is None:
        return ()
    try:
        found = tuple(signatures.anchors(folder))
    except (OSError, ValueError) as error:
        raise SettingsError([f"MYDATA.S015 signature_anchors: {folder} cannot be read"]) from error
    if not found:
        raise SettingsError([f"MYDATA.S015 signature_anchors: {folder} holds no certificate"])
    return found


def receipts_of(parts: Parts, server: GatewayAuthorizationServer) -> Receipts:
    """What makes receipts, for pages and doors."""
    operator = parts.registry.operator
    house = House(
        issuer=parts.settings.issuer,
        country=operator.country,
        operator_id=operator.code,
        operator_name={"ko": operator.name.ko, "en": operator.name.en},
        operator_contact=operator.contact,
        operator_role=operator.role,
    )
    return Receipts(
        house,
        parts.database,
        parts.journal,
        parts.log,
        parts.catalogue,
        holders_of(parts),
        parts.keys.signing.sign,
        server.minter.subject,
        parts.clock,
    )


def _make_link(parts: Parts) -> Callable[[str, str], Awaitable[str]]:
    async def make(holder_id: str, statement: str) -> str:
        holder = parts.holders.get(holder_id)
        if holder is None:
            raise HolderError(Reason.NO_LINK, "the holder is not registered")
        return await link(parts.gateway, holder.manifest, statement)

    return make
