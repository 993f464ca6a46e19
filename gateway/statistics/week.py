"""The weekly statistics of an operator (지원-004) and of a holder (지원-005), in their second version.

A week runs from Sunday to Saturday, Korean days, seven exactly. The members named in the published
description are used as they are; how they nest was not published with it and is ours.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from consent.calendar import day_begins, day_ends, korean_day_of
from gateway.statistics.facts import ENDING, NEW, Call, Facts
from gateway.transfers.calls import SUCCESS

TYPES = {"scheduled": "1", "user": "2", "list": "3"}
DAYS = 7


def first_of(day: date) -> date:
    """The Sunday on which the week of `day` begins."""
    return day - timedelta(days=(day.weekday() + 1) % 7)


def span(first: date) -> tuple[int, int]:
    """Epoch seconds of the week that begins on `first`: from, and until (excluded)."""
    return day_begins(first), day_ends(first + timedelta(days=DAYS - 1))


def of_operator(facts: Facts, first: date, org_codes: Mapping[str, str]) -> dict[str, Any]:
    """지원-004: every holder on every day of the week; `org_codes` by holder.

    `svr_usr_cnt` are citizens with a consent in force when the week ends, `trsms_dem_cnt` those for whom at
    least one bundle was released during it.
    """
    begin, end = span(first)
    sent = {one.subject for one in facts.sent if begin <= one.at < end and one.subject is not None}
    return {
        "stat_start": f"{first:%Y%m%d}",
        "stat_end": f"{first + timedelta(days=DAYS - 1):%Y%m%d}",
        "svr_usr_cnt": len({one.subject for one in facts.in_force(end)}),
        "trsms_dem_cnt": len(sent),
        "stat_list": [_day(facts, day, org_codes) for day in _days(first)],
    }


def of_holder(facts: Facts, first: date, holder: str, org_codes: Mapping[str, str]) -> dict[str, Any]:
    """지원-005: the same for one holder, as it would count its own side."""
    return {
        "stat_start": f"{first:%Y%m%d}",
        "stat_end": f"{first + timedelta(days=DAYS - 1):%Y%m%d}",
        "org_code": org_codes[holder],
        "stat_list": [_day(facts, day, {holder: org_codes[holder]}) for day in _days(first)],
    }


def _days(first: date) -> list[date]:
    return [first + timedelta(days=number) for number in range(DAYS)]


def _day(facts: Facts, day: date, org_codes: Mapping[str, str]) -> dict[str, Any]:
    new, ended = Counter[str](), Counter[str]()
    for one in facts.moves:
        if korean_day_of(one.at) == day:
            new.update(one.holders if one.move in NEW else ())
            ended.update(one.holders if one.move in ENDING else ())
    standing = Counter[str](holder for one in facts.in_force(day_ends(day)) for holder in one.holders)
    today = [call for call in facts.calls if korean_day_of(call.at) == day]
    return {
        "stat_date": f"{day:%Y%m%d}",
        "org_list": [
            {
                "org_code": code,
                "consent_new": new[holder],
                "consent_revoke": ended[holder],
                "consent_own": standing[holder],
                "api_list": _apis([call for call in today if call.holder == holder], day),
            }
            for holder, code in sorted(org_codes.items(), key=lambda pair: pair[1])
        ],
    }


def _apis(calls: Iterable[Call], day: date) -> list[dict[str, Any]]:
    """By dataset and kind of call, then by hour (`tm_slot` 00 to 23)."""
    groups: dict[tuple[str, str], dict[int, list[Call]]] = defaultdict(lambda: defaultdict(list))
    for call in calls:
        groups[call.dataset, TYPES[call.kind]][(call.at - day_begins(day)) // 3600].append(call)
    return [
        {
            "api_id": dataset,
            "api_type": kind,
            "tm_slot_list": [_slot(hour, slots[hour]) for hour in sorted(slots)],
        }
        for (dataset, kind), slots in sorted(groups.items())
    ]


def _slot(hour: int, calls: Sequence[Call]) -> dict[str, Any]:
    """Milliseconds as texts with three places: no reader's floating point changes what was told."""
    total = sum(call.ms for call in calls)
    mean = total / len(calls)
    variance = sum((call.ms - mean) ** 2 for call in calls) / len(calls)
    failed = Counter(call.code for call in calls if call.code != SUCCESS)
    return {
        "tm_slot": f"{hour:02d}",
        "rsp_avg": f"{mean:.3f}",
        "rsp_total": f"{total:.3f}",
        "rsp_stdev": f"{math.sqrt(variance):.3f}",
        "success_api_cnt": len(calls) - sum(failed.values()),
        "fail_api_cnt": sum(failed.values()),
        "fail_list": [{"rsp_code": code, "cnt": failed[code]} for code in sorted(failed)],
    }
