"""The parts of one running gateway, made from its settings and ended together."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors.authorization import Gateway
from connectors.contract import Holder
from connectors.errors import SpecError
from connectors.http import open_client
from connectors.registry import Entry, connect
from connectors.runtime import Runtime
from connectors.trust import machine_trust
from consent import repository_members
from consent.catalogue import Catalogue
from consent.catalogue import load as load_catalogue
from consent.clock import Clock, utc_now
from consent.consortium import Consortium
from consent.endings import Patience
from consent.journal import Journal
from consent.ledger.shards import base_of
from consent.subjects import SubjectKeys
from gateway.bundles.pseudonym import Domain
from gateway.database import Database, in_transaction
from gateway.keys import Keys
from gateway.keys.opening import open_keys
from gateway.ledger.log import Log
from gateway.ledger.readers import Readers, load_readers
from gateway.ledger.reading import Reading, reading_routes
from gateway.ledger.watch import read_second_key, witnessing
from gateway.oauth.client_keys_fetch import fetcher_for
from gateway.oauth.client_keys_refresh import ClientKeysRefresh
from gateway.policy.following import FollowingEngine
from gateway.policy.opening import open_policy
from gateway.registry import Registry, load_registry
from gateway.rotation import Rotation
from gateway.settings import Settings, SettingsError
from gateway.telemetry import Metrics
from gateway.transfers.ask import Asking
from gateway.transfers.notices import Notices
from gateway.transfers.own.running import OwnData
from gateway.transfers.pull import Puller
from gateway.transfers.release import Releasing
from gateway.transfers.worker import Worker


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a door may be given."""

    settings: Settings
    registry: Registry
    keys: Keys
    clock: Clock
    catalogue: Catalogue
    consortia: tuple[Consortium, ...]
    metrics: Metrics
    database: Database
    journal: Journal
    log: Log
    engine: FollowingEngine
    gateway: Gateway
    holders: Mapping[str, Holder]
    asking: Asking
    worker: Worker
    own: OwnData
    notices: Notices
    rotation: Rotation
    client_keys: ClientKeysRefresh
    readers: Readers


@asynccontextmanager
async def open_parts(settings: Settings, metrics: Metrics, clock: Clock = utc_now) -> AsyncIterator[Parts]:
    """Make every part; close them in reverse order on leaving. Raises SettingsError, KeysError, Problem."""
    now_seconds = int(clock().timestamp())
    keys = await asyncio.to_thread(open_keys, settings, now=now_seconds, refuse=in_transaction)
    registry = load_registry(settings.registry, plain_http=settings.profile == "demo")
    async with AsyncExitStack() as stack:
        database = Database(settings.database)
        stack.push_async_callback(database.close)
        tls = ssl.create_default_context(cafile=settings.ca) if settings.ca else machine_trust()
        client = await stack.enter_async_context(open_client(refuse=in_transaction, tls=tls))
        engine = await open_policy(settings, database, clock, metrics.registry)
        stack.push_async_callback(engine.close)
        now = lambda: clock().timestamp()  # noqa: E731
        gateway = Gateway(registry.operator.code, keys.holder_requests.sign, client, now)
        yield await _assemble(settings, metrics, registry, keys, clock, database, engine, gateway)


def holder_of(registry: Registry, folders: tuple[Path, ...] = ()) -> dict[str, Holder]:
    """The connector of every registered holder; raises SettingsError for one of no known sector."""
    try:
        return {
            h.id: connect(
                Entry(h.id, h.sector, {"ko": h.name.ko, "en": h.name.en}, h.origin, h.org_code), *folders
            )
            for h in registry.holders
        }
    except SpecError as error:
        raise SettingsError([f"MYDATA.R011 {problem}" for problem in error.problems]) from error


def consortia_of(registry: Registry) -> tuple[Consortium, ...]:
    """Every consortium of the registry; raises ConsortiumError for one that cannot be."""
    return tuple(
        Consortium.of(
            id=c.id,
            contract=c.contract,
            holders=c.holders,
            recipients=c.recipients,
            sectors=c.sectors,
            purposes=c.purposes,
            start=c.start,
            end=c.end,
        )
        for c in registry.consortia
    )


def _patience(settings: Settings) -> Patience:
    return Patience.of_days(
        settings.holder_answer_days, settings.recipient_answer_days, settings.deletion_answer_days
    )


async def _assemble(
    settings: Settings,
    metrics: Metrics,
    registry: Registry,
    keys: Keys,
    clock: Clock,
    database: Database,
    engine: FollowingEngine,
    gateway: Gateway,
) -> Parts:
    catalogue = load_catalogue(None, *settings.catalogues)
    holders = holder_of(registry, settings.catalogues)
    journal = Journal(SubjectKeys(keys.subject_kek), f"{socket.gethostname()}-{os.getpid()}")
    last_signed = (
        settings.ledger_state or settings.keys
    ) / f"last-signed-{base_of(settings.ledger_origin).replace('/', '_')}"
    second = read_second_key(settings.ledger_second_key) if settings.ledger_second_key else None
    log = Log(database, keys.ledger, settings.ledger_origin, last_signed, clock=clock, second=second)
    if settings.ledger_witnesses is not None:
        plain = settings.profile == "demo"
        log.witnessing = witnessing(
            log, settings.ledger_witnesses, gateway.client, metrics, clock, plain_http=plain
        )
    readers = load_readers(settings.ledger_readers) if settings.ledger_readers is not None else Readers()
    if settings.ledger_readers is not None:
        log.doors = reading_routes(Reading(log, journal, readers, clock))
    consortia = consortia_of(registry)
    async with database.transaction() as session:
        for consortium in consortia:
            await repository_members.register_consortium(session, consortium, int(clock().timestamp()))
    await log.open(journal)
    releasing = Releasing(
        database=database,
        journal=journal,
        catalogue=catalogue,
        holders=holders,
        sign=keys.signing.sign,
        domain=lambda recipient: Domain.derive(keys.pseudonyms, recipient, settings.pseudonym_epoch),
        issuer=settings.issuer,
        clock=clock,
    )
    puller = Puller(gateway, Runtime(gateway.client, clock=clock), holders, clock, metrics)
    return Parts(
        settings=settings,
        registry=registry,
        keys=keys,
        clock=clock,
        catalogue=catalogue,
        consortia=consortia,
        metrics=metrics,
        database=database,
        journal=journal,
        log=log,
        engine=engine,
        gateway=gateway,
        holders=holders,
        asking=Asking(database, engine, journal, log, catalogue, registry.operator.role, clock),
        worker=Worker(database, journal, log, puller, releasing, clock),
        own=OwnData.of(
            (database, journal, log), engine, catalogue, puller, clock, role=registry.operator.role
        ),
        notices=Notices(database, journal, gateway, holders, clock, _patience(settings)),
        rotation=Rotation(
            keys.house,
            database,
            journal,
            registry.operator.code,
            settings.key_rotation_days,
            clock,
            keys.subject_kek,
        ),
        client_keys=ClientKeysRefresh(database, journal, fetcher_for(settings, in_transaction), clock),
        readers=readers,
    )
