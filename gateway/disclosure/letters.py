"""Letters to companies and holders that the gateway ends, in Korean and English; the operator sends them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from gateway.registry import Registry

_WORDS = """\
{to} 귀하

{operator_ko}는 {day}까지만 이 게이트웨이를 운영합니다. (개인정보 보호법 시행령 제42조의12제7항)
그날까지는 모든 것이 그대로입니다. 동의와 권한, 전송 기록, 원장은 이어받을 곳에 넘기고
그곳을 따로 알려 드립니다.
그날 뒤에는 이 게이트웨이의 토큰을 쓸 수 없고 새 요청을 받지 않습니다.

To {to}

{operator_en} runs this gateway until {day}, and no longer (PIPA Enforcement Decree 42-12(7)).
Until then nothing changes. Consents, grants, transfer records and the ledger go to whoever takes over;
you will be told who that is. After that day no token of this
gateway opens anything and no new request is taken.

{said}, {contact}
"""


def letters(registry: Registry, companies: Iterable[str], day: date, said: date) -> dict[str, str]:
    """The letter to every company and holder, by id; `day` is the last one, `said` that of the letter."""
    operator = registry.operator
    return {
        to: _WORDS.format(
            to=to,
            operator_ko=operator.name.ko,
            operator_en=operator.name.en,
            day=day.isoformat(),
            said=said.isoformat(),
            contact=operator.contact,
        )
        for to in sorted({*companies, *(holder.id for holder in registry.holders)})
    }
