"""How a consent ended, in words: by whom and why, who has acknowledged, what the company says it deleted."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from consent import deletion, endings
from consent.deletion import Instruction
from consent.endings import Answer, Kind, Told
from consent.records import Consent, State
from gateway.errors import Language
from gateway.oauth import clients
from gateway.oauth.deletion_certificate import stated
from gateway.web import phrases
from gateway.web.item_names import dataset_name, holder_name
from gateway.web.site import Site
from gateway.web.views import EndingView
from gateway.web.words import words


async def ending_view(
    site: Site, session: AsyncSession, consent: Consent, spoken: Language
) -> EndingView | None:
    """The view of an ended consent; None while it lasts, or when it never began."""
    if not consent.ended or consent.state is State.REFUSED:
        return None
    t, now, place = words(spoken), site.now(), f"/my/consents/{consent.id}"
    told = await endings.parties(session, consent.id)
    instruction = await deletion.of_consent(session, consent.id)
    client = await clients.find(session, consent.client_id)
    name = client.name[spoken] if client else consent.client_id
    why = f"ending_why.{consent.why}"
    certified = instruction is not None and instruction.certificate is not None
    return EndingView(
        how=t(
            f"ending.{consent.state.value}",
            when=phrases.moment(consent.changed_at, spoken),
            by=_by(consent, spoken),
        ),
        why=t(why) if consent.why and why in t else None,
        parties=tuple(_party(site, one, name, now, spoken) for one in told),
        deletion=_deletion(site, instruction, name, now, spoken),
        delete=None if instruction else f"{place}/delete",
        certificate=f"{place}/deletion-certificate" if certified else None,
    )


def _by(consent: Consent, spoken: Language) -> str:
    return words(spoken)(f"ending_by.{consent.by.value}")


def _party(site: Site, told: Told, client: str, now: int, spoken: Language) -> str:
    t, answer = words(spoken), told.standing(now)
    who = client if told.kind is Kind.RECIPIENT else holder_name(site, told.party, spoken)
    if answer is Answer.ACKNOWLEDGED:
        return t("ending.acknowledged", who=who, when=phrases.moment(told.answered_at or 0, spoken))
    key = "ending.silent" if answer is Answer.SILENT else "ending.waiting"
    return t(key, who=who, when=phrases.moment(told.deadline_at, spoken))


def _deletion(site: Site, told: Instruction | None, who: str, now: int, spoken: Language) -> tuple[str, ...]:
    t = words(spoken)
    if told is None:
        return ()
    lines = [t("ending.instructed", who=who, when=phrases.moment(told.asked_at, spoken))]
    if told.certificate is None:
        key = "ending.no_certificate" if told.silent(now) else "ending.certificate_awaited"
        return (*lines, t(key, who=who, when=phrases.moment(told.deadline_at, spoken)))
    said = stated(told.certificate)
    lines.append(t("ending.certified", who=who, when=phrases.moment(said.deleted_at, spoken)))
    for kept in said.exceptions:
        holder, _, dataset = kept.item.partition("/")
        item = f"{holder_name(site, holder, spoken)} {dataset_name(site, dataset, spoken)}"
        until = phrases.moment(kept.until, spoken)
        lines.append(t("ending.kept", item=item, ground=kept.ground, until=until))
    return tuple(lines)
