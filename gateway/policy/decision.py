"""What an engine may answer, and nothing else: strict parsing that fails closed.

An answer that breaks any rule below is no answer: `parse` raises PolicyUnavailable and the door denies.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import rfc8785
from msgspec import Meta

from gateway.policy.errors import PolicyUnavailable
from gateway.policy.question import Epoch, FieldId, Id, Question

Code = Annotated[str, Meta(pattern=r"^[a-z][a-z_]{2,63}\Z")]
Article = Annotated[str, Meta(min_length=1, max_length=200)]
Params = dict[str, int | str | tuple[str, ...] | None]

MAX_ANSWER_BYTES = 512 * 1024


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the whole transfer is denied. `params` are public values for the text of `code`."""

    code: Code
    article: Article | None
    params: Params


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields of one item that may leave, and the legal basis they leave on (design 3.8)."""

    holder: Id
    dataset: Id
    fields: Annotated[tuple[FieldId, ...], Meta(min_length=1, max_length=128)]
    basis: Literal["portability", "consent"]
    article: Article

    @property
    def item(self) -> str:
        """`HOLDER/DATASET`."""
        return f"{self.holder}/{self.dataset}"


class Withheld(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an item, or with `field_not_consented`, `field_dropped` some fields of it, stays."""

    holder: Id
    dataset: Id
    code: Code
    article: Article | None
    params: Params

    @property
    def item(self) -> str:
        """`HOLDER/DATASET`."""
        return f"{self.holder}/{self.dataset}"


class Pseudonymise(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="pseudonymise"
):
    """Record identifiers leave as pseudonyms for this recipient alone."""


class SuppressIdentifiers(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="suppress_identifiers"
):
    """Names, numbers and addresses found in free text do not leave."""


class RetainUntil(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="retain_until"
):
    """The recipient deletes what it received by `until`."""

    until: Epoch


class Stamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="stamp"):
    """Every bundle carries `value`: this gateway has no designation."""

    value: Literal["sandbox"]


class Notify(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="notify"):
    """Tell the citizen about what was withheld (Decree 42-8(2)) or that something sensitive was sent."""

    to: Literal["citizen"]
    about: Literal["withheld", "sensitive"]


class Mask(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="mask"):
    """One field of a dataset leaves as a pseudonym, or as text without identifiers; never as it is."""

    dataset: Id
    field: FieldId


class Coarsen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="coarsen"):
    """One moment of a dataset leaves cut `to` its day or month."""

    dataset: Id
    field: FieldId
    to: Literal["day", "month"]


Obligation = Pseudonymise | SuppressIdentifiers | RetainUntil | Stamp | Notify | Mask | Coarsen


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bare object an engine returns; same shape as `policies/schemas/decision.json`."""

    allow: bool
    codes: Annotated[tuple[Reason, ...], Meta(max_length=64)]
    granted: Annotated[tuple[Grant, ...], Meta(max_length=64)]
    withheld: Annotated[tuple[Withheld, ...], Meta(max_length=1024)]
    obligations: Annotated[tuple[Obligation, ...], Meta(max_length=128)]


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A checked answer and which policy on which engine gave it.

    `allow` is true only with something granted, no code, and obligations the gateway knows how to meet.
    `available` is false when no engine could be trusted: infrastructure (503), not policy (403).
    """

    allow: bool
    codes: tuple[Reason, ...]
    granted: tuple[Grant, ...]
    withheld: tuple[Withheld, ...]
    obligations: tuple[Obligation, ...]
    revision: str
    engine: str
    available: bool = True
    eval_us: int = 0
    """Microseconds from asking to the checked answer; no part of what is compared."""

    def canonical(self) -> bytes:
        """RFC 8785 JSON of the answer alone: equal for equal decisions, whichever engine gave them."""
        whole = msgspec.to_builtins(self)
        answer = {name: whole[name] for name in ("allow", "codes", "granted", "withheld", "obligations")}
        data: bytes = rfc8785.dumps(answer)
        return data

    def withheld_of(self, item: str) -> tuple[Withheld, ...]:
        """Why `HOLDER/DATASET`, or fields of it, stay."""
        return tuple(w for w in self.withheld if w.item == item)


_decoder = msgspec.json.Decoder(Answer, strict=True)
_Sorted = TypeVar("_Sorted", bound=msgspec.Struct)


def parse(data: bytes, question: Question, *, engine: str, revision: str) -> Decision:
    """The decision in an engine's answer to `question`; raises PolicyUnavailable if it breaks a rule."""
    if len(data) > MAX_ANSWER_BYTES:
        raise PolicyUnavailable("malformed", f"answer of {len(data)} bytes")
    try:
        answer = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PolicyUnavailable("malformed", str(error)) from error
    broken = next((rule for rule, holds in _rules(answer, question) if not holds), None)
    if broken is not None:
        raise PolicyUnavailable("malformed", broken)
    return Decision(
        allow=answer.allow,
        codes=_sorted(answer.codes),
        granted=_sorted(answer.granted),
        withheld=_sorted(answer.withheld),
        obligations=_sorted(answer.obligations),
        revision=revision,
        engine=engine,
    )


def denied(code: str, *, engine: str, revision: str, params: Params | None = None) -> Decision:
    """The decision of a gateway that could not ask: nothing leaves."""
    reason = Reason(code=code, article=None, params=params or {})
    return Decision(
        allow=False,
        codes=(reason,),
        granted=(),
        withheld=(),
        obligations=(),
        revision=revision,
        engine=engine,
        available=False,
    )


def _rules(answer: Answer, question: Question) -> Iterable[tuple[str, bool]]:
    asked = {(i.holder, i.dataset): frozenset(i.fields) for i in question.request.items}
    consented = {(i.holder, i.dataset): frozenset(i.fields) for i in question.consent.items}
    granted = {(g.holder, g.dataset): frozenset(g.fields) for g in answer.granted}
    kept = {(w.holder, w.dataset) for w in answer.withheld}
    nothing: frozenset[str] = frozenset()
    yield "withheld is not what was asked", kept <= asked.keys()
    if not answer.allow:
        yield "deny without a code", bool(answer.codes)
        yield "deny that grants", not answer.granted
        yield "deny with obligations", not answer.obligations
        return
    yield "allow with a code", not answer.codes
    yield "allow that grants nothing", bool(granted)
    yield "an item granted twice", len(granted) == len(answer.granted)
    yield "granted beyond what was asked", all(f <= asked.get(k, nothing) for k, f in granted.items())
    yield "granted beyond the consent", all(f <= consented.get(k, nothing) for k, f in granted.items())
    yield "an item neither granted nor withheld", asked.keys() <= granted.keys() | kept
    yield "a field dropped without a reason", all(asked[k] == f or k in kept for k, f in granted.items())
    yield from _duties(answer.obligations, question)


def _duties(obligations: tuple[Obligation, ...], question: Question) -> Iterable[tuple[str, bool]]:
    kinds = {type(o) for o in obligations}
    until = [o.until for o in obligations if isinstance(o, RetainUntil)]
    if question.request.operation == "self_download":  # their own data, as the holder has it
        yield "a self_download to another", question.client.id == "self"
        yield (
            "a self_download that is treated",
            not kinds & {Pseudonymise, SuppressIdentifiers, Mask, Coarsen},
        )
    else:
        yield "allow without pseudonymise", Pseudonymise in kinds
        yield "allow without suppress_identifiers", SuppressIdentifiers in kinds
    yield "allow without exactly one retain_until", len(until) == 1
    yield "retain_until in the past", all(moment >= question.request.time for moment in until)
    asked = {(i.dataset, f) for i in question.request.items for f in i.fields}
    touched = {(o.dataset, o.field) for o in obligations if isinstance(o, Mask | Coarsen)}
    yield "a treatment of what was not asked", touched <= asked
    yield "sandbox without its stamp", question.operator.role != "sandbox" or Stamp in kinds


def _sorted(parts: tuple[_Sorted, ...]) -> tuple[_Sorted, ...]:
    return tuple(sorted(parts, key=_canonical))


def _canonical(part: Any) -> bytes:
    data: bytes = rfc8785.dumps(msgspec.to_builtins(part))
    return data
