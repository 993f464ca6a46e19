"""The bundle: which bytes are the policy, and the revision that names exactly them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from gateway.policy.bundle import TABLE, load, of, revision_of, unpack
from gateway.policy.errors import BundleInvalid

FILES = {"mydata/a/a.rego": b"package mydata.a\n", "mydata/r/data.json": b'{"x": 1}'}


def test_the_revision_names_the_bytes() -> None:
    """Any change of a path or a byte, or a byte moved from one file to the next, is another revision."""
    known = revision_of(FILES)
    assert known.startswith("sha256:")
    assert known == revision_of(dict(reversed(FILES.items())))
    others = [
        {**FILES, "mydata/a/a.rego": b"package mydata.a\n\n"},
        {**FILES, "mydata/b.rego": b""},
        {"mydata/a/b.rego": FILES["mydata/a/a.rego"], "mydata/r/data.json": b'{"x": 1}'},
        {"mydata/a/a.regop": b"ackage mydata.a\n", "mydata/r/data.json": b'{"x": 1}'},
    ]
    assert len({known, *(revision_of(other) for other in others)}) == 5


def test_tests_and_other_files_are_no_part_of_it() -> None:
    """The policy here holds rules, data and its decision table only, and has data where the rules look."""
    bundle = load()
    assert all(path.endswith((".rego", "/data.json")) for path in bundle.files if path != TABLE)
    assert TABLE in bundle.files
    assert not any(path.endswith("_test.rego") for path in bundle.files)
    assert bundle.data["mydata"]["reference"]["home_country"] == "KR"
    assert set(bundle.modules) == {path for path in bundle.files if path.endswith(".rego")}


def test_the_tarball_is_the_same_every_time() -> None:
    """The OPA bundle is reproducible, carries the revision, and holds each file unchanged."""
    bundle = of(FILES)
    assert bundle.tarball() == of(dict(reversed(FILES.items()))).tarball()
    with tarfile.open(fileobj=io.BytesIO(bundle.tarball())) as archive:
        inside = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    manifest = json.loads(inside.pop(".manifest"))
    assert manifest == {"revision": bundle.revision, "roots": ["mydata"], "rego_version": 1}
    assert inside == FILES


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff", b"null", b'{"a":' * 100_000], ids=range(5))
def test_data_that_is_no_object_is_named(data: bytes) -> None:
    """A data file that is not a JSON object is refused by its path."""
    with pytest.raises(BundleInvalid, match=r"mydata/r/data\.json"):
        of({**FILES, "mydata/r/data.json": data})


def test_a_folder_without_policy_is_refused(tmp_path: Path) -> None:
    """Neither an empty nor a missing folder is a policy."""
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(BundleInvalid, match="no policy"):
            load(folder)


def test_a_bundle_is_read_back() -> None:
    """What was packed comes out of its bytes with the same revision."""
    bundle = load()
    again = unpack(bundle.tarball())
    assert again.revision == bundle.revision
    assert dict(again.files) == dict(bundle.files)


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"PK",
        gzip.compress(b"not a tar", mtime=0),
        load().tarball()[:200],
        gzip.compress(bytes(9_000_000), mtime=0),
        of({"elsewhere/a.rego": b"package x"}).tarball(),
        of({"mydata/../../a.rego": b"package x"}).tarball().replace(b"x", b"y"),
    ],
)
def test_bytes_that_are_no_bundle_are_refused(archive: bytes) -> None:
    """Noise, half a bundle, a bomb and files from elsewhere are no policy."""
    with pytest.raises(BundleInvalid):
        unpack(archive)
