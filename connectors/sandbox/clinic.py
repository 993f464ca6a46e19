"""Visits of sandbox people to a hospital: blood pressure, glucose, cholesterol, weight and notes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from connectors.sandbox.electricity import KST


@dataclass(frozen=True, slots=True)
class Assay:
    """One kind of measurement: LOINC code, words, UCUM unit, usual value and its spread."""

    code: str
    display: str
    unit: str
    usual: float
    spread: float
    category: str


ASSAYS = (
    Assay("8480-6", "Systolic blood pressure", "mm[Hg]", 122, 9, "vital-signs"),
    Assay("8462-4", "Diastolic blood pressure", "mm[Hg]", 78, 6, "vital-signs"),
    Assay("29463-7", "Body weight", "kg", 66, 9, "vital-signs"),
    Assay("1558-6", "Fasting glucose [Mass/volume] in Serum or Plasma", "mg/dL", 97, 11, "laboratory"),
    Assay("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "mg/dL", 189, 24, "laboratory"),
)
FEE = 18_700
"""What a visit costs the patient, in won."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One version of one result. Versions share `id`; `version` counts from 1."""

    id: str
    version: int
    assay: Assay
    value: Decimal
    at: datetime
    updated: datetime
    status: str = "final"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: when, and what was measured."""

    at: datetime
    measurements: tuple[Measurement, ...]


def visits(rng: Random, number: int, days: list[date], notes: tuple[str, ...] = ()) -> tuple[Visit, ...]:
    """One visit on each day, oldest first; each has every assay, the odd one put right two days later."""
    found = []
    for index, day in enumerate(sorted(days)):
        at = datetime(day.year, day.month, day.day, 9, tzinfo=KST) + timedelta(minutes=rng.randrange(480))
        found.append(Visit(at, tuple(_measure(rng, f"obs-{number:04d}-{index:04d}", at, notes))))
    return tuple(found)


def _measure(rng: Random, stem: str, at: datetime, notes: tuple[str, ...]) -> list[Measurement]:
    measured = []
    for position, assay in enumerate(ASSAYS):
        value = Decimal(str(round(rng.gauss(assay.usual, assay.spread), 1)))
        note = rng.choice(notes) if notes and position == 0 else ""
        result = Measurement(f"{stem}-{position}", 1, assay, value, at, at + timedelta(minutes=5), note=note)
        if rng.random() < 0.05:
            put_right = value + Decimal("1.5")
            result = replace(
                result, version=2, value=put_right, status="corrected", updated=at + timedelta(days=2)
            )
        measured.append(result)
    return measured
