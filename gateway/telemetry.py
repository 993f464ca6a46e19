"""Logs as one JSON object a line, with nothing secret or personal in them; counters for Prometheus."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

HIDDEN = frozenset(
    {
        "authorization",
        "cookie",
        "set-cookie",
        "dpop",
        "code",
        "code_verifier",
        "client_assertion",
        "assertion",
    }
    | {"access_token", "refresh_token", "id_token", "token", "request_uri", "login_hint", "name", "body"}
    | {"password", "secret", "link", "birthdate", "state", "nonce"}
)
_COMPACT = re.compile(r"[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")
_NUMBERS = re.compile(r"(?<![0-9A-Za-z])(?:\d{6}-?[1-8]\d{6}|01[016789]-?\d{3,4}-?\d{4})(?![0-9A-Za-z])")


class Metrics:
    """The counters of one gateway process."""

    def __init__(self) -> None:
        """Make an empty set of counters."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mydata_requests_total", "Answered requests", ["door", "status"], registry=self.registry
        )
        self.seconds = Histogram("mydata_request_seconds", "Time to answer", ["door"], registry=self.registry)
        self.refused = Counter("mydata_refusals_total", "Refusals by code", ["code"], registry=self.registry)
        self.pulls = Counter(
            "mydata_pulls_total", "Pulls by holder and outcome", ["holder", "outcome"], registry=self.registry
        )
        self.quorum = Gauge(
            "mydata_ledger_quorum", "1 while published checkpoints have their quorum", registry=self.registry
        )
        self.witnessed = Gauge(
            "mydata_ledger_witness_seconds",
            "When each witness last cosigned",
            ["witness"],
            registry=self.registry,
        )
        self.ended = Counter(
            "mydata_retention_ended_total", "Ended as the schedule says", ["job"], registry=self.registry
        )
        self.not_ended = Counter(
            "mydata_retention_failures_total", "Failed steps of retention", ["job"], registry=self.registry
        )
        self.ending = Histogram(
            "mydata_retention_seconds", "Time of one step of retention", ["job"], registry=self.registry
        )
        self._doors: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def answered(self, door: str, status: int, seconds: float) -> None:
        """Count and time one answer. Doors and statuses are few, so their counters are looked up once."""
        known = self._doors.get((door, status))
        if known is None:
            known = self.requests.labels(door, str(status)), self.seconds.labels(door)
            self._doors[door, status] = known
        known[0].inc()
        known[1].observe(seconds)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values of secret names, compact tokens and identity numbers wherever they stand in a log event."""
    for name, value in event.items():
        event[name] = "[hidden]" if name.lower() in HIDDEN else _clean(value)
    return event


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _NUMBERS.sub("[number]", _COMPACT.sub("[token]", value))
    if isinstance(value, dict):
        return {k: "[hidden]" if str(k).lower() in HIDDEN else _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    return value


def configure(level: str) -> None:
    """Send every log line, ours and the libraries', through the redaction to stderr."""
    global _lines  # noqa: PLW0603 - one stream a process, as logging itself has it
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    _lines = sys.stderr if root.isEnabledFor(logging.INFO) else None
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "httpx", "httpcore", "aiosqlite"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").setLevel("CRITICAL")
    for name in ("httpx", "httpcore", "aiosqlite", "sqlalchemy"):
        logging.getLogger(name).setLevel("WARNING")


log: Any = structlog.get_logger("mydata")

_lines: TextIO | None = None
"""Where `answered` writes; None until `configure` was told to log so much."""


def answered(door: str, status: int, milliseconds: float, request_id: str) -> None:
    """The log line of one answer, in the form of every other. It holds nothing that would need hiding.

    Written without structlog, whose way through its processors costs as much as the rest of a quick answer.
    """
    if _lines is None:
        return
    line: dict[str, Any] = {"door": door, "status": status, "ms": round(milliseconds, 1), "event": "answered"}
    line |= {"request": request_id, "level": "info", "timestamp": _now()}
    _lines.write(orjson.dumps(line).decode() + "\n")


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
