"""Names of sandbox people: ordinary ones by year of birth, and the odd ones that break careless programs."""

from __future__ import annotations

from random import Random

SURNAMES = {
    "김": 215, "이": 147, "박": 84, "최": 47, "정": 43, "강": 24, "조": 21, "윤": 21, "장": 20, "임": 17,
    "한": 15, "오": 15, "서": 15, "신": 15, "권": 14, "황": 14, "안": 14, "송": 14, "류": 13, "홍": 11,
    "남궁": 1, "선우": 1, "제갈": 1,
}  # fmt: skip
"""Surnames with their rough share of the population per thousand."""

GIVEN = {
    ("F", "old"): "영자 순자 정숙 명숙 경희 미경 은영 춘자 옥순 말례 영희 정희 복순 금자",
    ("M", "old"): "영수 영호 광수 성호 종철 병철 재석 정남 영식 상철 덕수 봉수 기철 만호",
    ("F", "middle"): "지영 은주 수진 미정 혜진 현정 유미 보람 선영 은정 지현 아름 슬기 민정",
    ("M", "middle"): "성민 상훈 동현 준호 정훈 민수 태영 진우 현우 재현 승현 대현 용준 경수",
    ("F", "young"): "서연 지우 하은 서윤 예은 채원 다은 나래 소율 유나 가온 수아 민서 한별",
    ("M", "young"): "민준 서준 도윤 예준 지호 시우 건우 한결 하준 우진 은찬 이안 준서 라온",
}

ODD_NAMES = {
    "one-syllable": "이 솔",
    "very-long": "제갈온누리한빛마루가온해솔다솜나래별하늘",
    "hyphen": "김-로드리게스 마리아 호세",
    "foreign": "O'MALLEY ŁUKASZ NGUYỄN",
    "rare-hangul": "뢔뛟햏",
}
"""Legal and awkward: one syllable after a space, twenty syllables, a hyphen, Latin, rare Hangul."""


def ordinary_name(rng: Random, born: int, sex: str) -> str:
    """A surname by its real frequency and a given name usual for the year of birth."""
    surname = rng.choices(list(SURNAMES), weights=list(SURNAMES.values()))[0]
    age = "old" if born < 1970 else "middle" if born < 1995 else "young"
    return surname + rng.choice(GIVEN[sex, age].split())
