"""The sandbox hospital: HL7 FHIR R4 over people's visits (Patient and Observation searches)."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.sandbox.clinic import Measurement
from connectors.sandbox.consents import Grant
from connectors.sandbox.cursors import offset_of, opaque, seal
from connectors.sandbox.holder import HolderConfig, SandboxHolder
from connectors.sandbox.refused import Refused

OBSERVATIONS = "medical.observations"
DATASETS = (OBSERVATIONS,)
BASE = "/fhir"
LARGEST_COUNT = 200
_encoder = msgspec.json.Encoder(decimal_format="number")
ISSUES = {400: "invalid", 401: "login", 403: "forbidden", 404: "not-found"}


class Hospital:
    """Two doors: the one patient of a token, and that patient's results."""

    def __init__(self, holder: SandboxHolder) -> None:
        """Serve the people of `holder`."""
        self._holder = holder
        self._config = holder.config

    async def patients(self, request: Request) -> Response:
        """GET Patient: the searchset of exactly the person the token stands for."""
        grant = self._holder.authenticate(request, OBSERVATIONS)
        person = self._holder.person(grant)
        patient = {"resourceType": "Patient", "id": self._patient(grant), "name": [{"text": person.name}]}
        return self._bundle(request, [patient], 1, None)

    async def observations(self, request: Request) -> Response:
        """GET Observation?patient=&date=ge...&_sort=date&_count=: the current version of each result."""
        grant = self._holder.authenticate(request, OBSERVATIONS)
        query = request.query_params
        if query.get("patient", "").removeprefix("Patient/") != self._patient(grant):
            raise Refused(403, "access_denied", "foreign_patient")
        if query.get("_sort", "date") != "date":
            raise Refused(400, "invalid_request", "_sort")
        since = _since(query.get("date"))
        found = [result for result in self._holder.person(grant).observations if result.at.date() >= since]
        bound = f"{grant.link}|{since}"
        start = offset_of(self._config.secret, bound, query.get("_page"))
        end = start + min(_count(query.get("_count")), self._config.page_size)
        resources = [written(result, self._patient(grant)) for result in found[start:end]]
        onward = None
        if end < len(found):
            onward = urlencode({**query, "_page": seal(self._config.secret, bound, end)})
        return self._bundle(request, resources, len(found), onward)

    def _bundle(
        self, request: Request, resources: list[dict[str, Any]], total: int, onward: str | None
    ) -> Response:
        base = f"{self._config.origin}{BASE}"
        kind = request.url.path.rpartition("/")[2]
        links = [{"relation": "self", "url": f"{base}/{kind}?{request.url.query}"}]
        if onward is not None:
            links.append({"relation": "next", "url": f"{base}/{kind}?{onward}"})
        entries = [
            {"fullUrl": f"{base}/{kind}/{one['id']}", "resource": one, "search": {"mode": "match"}}
            for one in resources
        ]
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
        return _fhir(200, bundle | ({"entry": entries} if entries else {}))

    def _patient(self, grant: Grant) -> str:
        return opaque(self._config.secret, "patient", self._holder.person(grant).id)


def written(result: Measurement, patient: str) -> dict[str, Any]:
    """A result as a FHIR R4 Observation."""
    coded = "http://terminology.hl7.org/CodeSystem/observation-category"
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": result.id,
        "meta": {"versionId": str(result.version), "lastUpdated": result.updated.isoformat()},
        "status": result.status,
        "category": [{"coding": [{"system": coded, "code": result.assay.category}]}],
        "code": {
            "coding": [
                {"system": "http://loinc.org", "code": result.assay.code, "display": result.assay.display}
            ]
        },
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": result.at.isoformat(),
        "issued": result.updated.isoformat(),
        "performer": [{"display": "새봄병원 검사실"}],
        "valueQuantity": {
            "value": result.value,
            "unit": result.assay.unit,
            "system": "http://unitsofmeasure.org",
            "code": result.assay.unit,
        },
    }
    return resource | ({"note": [{"text": result.note}]} if result.note else {})


def outcome(_request: Request, error: Exception) -> Response:
    """A refusal as an OperationOutcome; the exact cause stands in `details`."""
    if not isinstance(error, Refused):
        raise error
    issue = {
        "severity": "error",
        "code": ISSUES.get(error.status, "processing"),
        "details": {"coding": [{"code": error.reason}]},
    }
    response = _fhir(error.status, {"resourceType": "OperationOutcome", "issue": [issue]})
    response.headers.update(error.headers)
    return response


def _fhir(status: int, body: dict[str, Any]) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(_encoder.encode(body), status, headers, media_type="application/fhir+json")


def _since(text: str | None) -> date:
    if text is None:
        return date.min
    try:
        return date.fromisoformat(text.removeprefix("ge") if text.startswith("ge") else "")
    except ValueError:
        raise Refused(400, "invalid_request", "date") from None


def _count(text: str | None) -> int:
    if text is None:
        return LARGEST_COUNT
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 10**9:
        raise Refused(400, "invalid_request", "_count")
    return min(int(text), LARGEST_COUNT)


def create(config: HolderConfig) -> Starlette:
    """The hospital's whole server."""
    holder = SandboxHolder(config)
    hospital = Hospital(holder)
    return holder.app(
        [
            Route(f"{BASE}/Patient", hospital.patients, methods=["GET"]),
            Route(f"{BASE}/Observation", hospital.observations, methods=["GET"]),
        ],
        outcome,
    )
