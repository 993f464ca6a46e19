"""The policy as bytes: what is loaded, and the revision that names exactly those bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.policy import opa_signature
from gateway.policy.errors import BundleInvalid

ROOT = "mydata"
TABLE = "decision_table.json"
"""The decisions this policy promises: rows a new policy is tried on before it is put in force."""

MAX_BYTES = 8 * 1024 * 1024
"""The most a policy may measure when unpacked."""


@dataclass(frozen=True, slots=True)
class PolicyBundle:
    """Rego files and data documents by path, tests left out; `revision` names exactly these bytes.

    `signature`: the approver's, for an OPA (opa_signature.py); empty for a policy nobody approved here.
    """

    files: Mapping[str, bytes]
    revision: str
    signature: str = field(default="", compare=False)

    @property
    def modules(self) -> dict[str, str]:
        """Rego source by path, sorted by path."""
        return {path: data.decode() for path, data in sorted(self.files.items()) if path.endswith(".rego")}

    @property
    def data(self) -> dict[str, Any]:
        """The data document: each `data.json` below the path of its folder."""
        whole: dict[str, Any] = {}
        for path, text in sorted(self.files.items()):
            if path.endswith("/data.json"):
                place = whole
                for part in path.split("/")[:-1]:
                    place = place.setdefault(part, {})
                place.update(json.loads(text))
        return whole

    @property
    def members(self) -> dict[str, bytes]:
        """What an OPA bundle of these files holds: the files, and the manifest with their revision."""
        manifest = {"revision": self.revision, "roots": [ROOT], "rego_version": 1}
        return {
            ".manifest": json.dumps(manifest, sort_keys=True).encode(),
            **dict(sorted(self.files.items())),
        }

    def tarball(self, *, signed: bool = False) -> bytes:
        """An OPA bundle (tar.gz) of these files with their revision; the same bytes every time.

        `signed`: with the approver's signature; an OPA without a verification key does not load that one.
        """
        members = self.members
        if signed:
            members[opa_signature.FILE] = opa_signature.document(self.signature)
        packed = io.BytesIO()
        with (
            gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            for path, data in members.items():
                info = tarfile.TarInfo(path)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return packed.getvalue()


def unpack(archive: bytes) -> PolicyBundle:
    """The policy in `tarball()` bytes, its revision counted anew; raises BundleInvalid on anything else."""
    files: dict[str, bytes] = {}
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(archive)) as zipped:
            plain = zipped.read(MAX_BYTES + 1)
        if len(plain) > MAX_BYTES:
            raise BundleInvalid(f"the bundle is larger than {MAX_BYTES} bytes")
        with tarfile.open(fileobj=io.BytesIO(plain)) as opened:
            for member in opened:
                content = opened.extractfile(member) if member.isreg() else None
                if content is None or member.name in files:
                    raise BundleInvalid(f"{member.name}: not one plain file")
                files[member.name] = content.read()
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise BundleInvalid(f"not a bundle: {error}") from error
    made = of({path: data for path, data in files.items() if not path.startswith(".")})
    if strange := [path for path in made.files if not (path.startswith(f"{ROOT}/") or path == TABLE)]:
        raise BundleInvalid(f"{strange[0]}: does not belong in a policy")
    return made


def default_folder() -> Path:
    """`policies/` next to the packages."""
    return Path(__file__).resolve().parents[2] / "policies"


def load(folder: Path | None = None) -> PolicyBundle:
    """Read the policy in `folder`; raises BundleInvalid naming the file that cannot be part of one."""
    root = folder or default_folder()
    files: dict[str, bytes] = {}
    for file in [*sorted((root / ROOT).rglob("*")), root / TABLE]:
        path = file.relative_to(root).as_posix()
        if file.is_file() and _belongs(file.name):
            try:
                files[path] = file.read_bytes()
            except OSError as error:
                raise BundleInvalid(f"{path}: {error.strerror}") from error
    if not any(path.endswith(".rego") for path in files):
        raise BundleInvalid(f"{root}: no policy in it")
    return of(files)


def of(files: Mapping[str, bytes]) -> PolicyBundle:
    """The bundle of these files; raises BundleInvalid when one is not UTF-8 Rego or a JSON object."""
    for path, data in files.items():
        try:
            text = data.decode()
            if path.endswith(".json") and not isinstance(json.loads(text), dict):
                raise BundleInvalid(f"{path}: must be a JSON object")
        except (ValueError, RecursionError) as error:
            raise BundleInvalid(f"{path}: {error}") from error
    return PolicyBundle(MappingProxyType(dict(files)), revision_of(files))


def revision_of(files: Mapping[str, bytes]) -> str:
    """`sha256:` and the digest over each path and content, sorted by path, each led by its length."""
    digest = hashlib.sha256()
    for path, data in sorted(files.items()):
        for part in (path.encode(), data):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return f"sha256:{digest.hexdigest()}"


def _belongs(name: str) -> bool:
    return name in {"data.json", TABLE} or (name.endswith(".rego") and not name.endswith("_test.rego"))
