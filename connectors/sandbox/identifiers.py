"""Identifiers of sandbox people, from ranges that no living person can have where such a range exists.

* Telephone: `010-0000-NNNN`. Korean mobile subscriber numbers do not begin with 0000.
* Resident registration number (주민등록번호): born 2090 to 2099 by its first seven digits, with the right
  check digit, so that detectors fire on it and nobody has it.
* Account, meter, subscription numbers: no range is reserved for examples; the holders that would have issued
  them do not exist, and every number begins with 000.
* CI (연계정보): 64 bytes of a keyed digest in base64, the shape of the real one; the key is the seed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

RRN_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)


def telephone(number: int) -> str:
    """A mobile number of the range 010-0000."""
    return f"010-0000-{number % 10_000:04d}"


def account(number: int) -> str:
    """An account number in the shape a Korean bank prints."""
    return f"000-{number // 1_000_000 % 1000:03d}-{number % 1_000_000:06d}"


def meter(number: int) -> str:
    """A customer number of the electricity supplier: ten digits."""
    return f"000{number % 10_000_000:07d}"


def subscription(number: int) -> str:
    """A subscription number of the telephone company."""
    return f"T000{number % 100_000_000:08d}"


def resident_number(number: int, *, female: bool = False) -> str:
    """A well-formed resident registration number of somebody born in the 2090s."""
    year, month, day = 90 + number % 10, 1 + number // 10 % 12, 1 + number // 120 % 28
    digits = f"{year:02d}{month:02d}{day:02d}{4 if female else 3}{number // 3360 % 100_000:05d}"
    total = sum(weight * int(digit) for weight, digit in zip(RRN_WEIGHTS, digits, strict=True))
    return f"{digits[:6]}-{digits[6:]}{(11 - total % 11) % 10}"


def connecting_information(seed: int, number: int) -> str:
    """A CI-like identifier: 88 characters of base64, the same for the same seed and number."""
    digest = hmac.digest(f"sandbox people {seed}".encode(), str(number).encode(), hashlib.sha512)
    return base64.b64encode(digest).decode()
