"""The law as rows: duties, who may receive, ages, cycles, what is kept, what stays out of scope, fair use."""

from __future__ import annotations
