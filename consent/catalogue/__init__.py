"""What data exists, in words for people: sectors, datasets, fields, purposes, legal bases; as data files."""

from __future__ import annotations

from consent.catalogue.loader import load
from consent.catalogue.model import Catalogue, Dataset, Field, LegalBasis, Purpose, SelfDownload

__all__ = ["Catalogue", "Dataset", "Field", "LegalBasis", "Purpose", "SelfDownload", "load"]
