"""`mydata bundle open FILE --key JWK --issuer-keys JWKS`: verify a sealed bundle and open it, offline."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from gateway.bundles.open import BundleRejected, Opened, open_bundle, verify_bundle
from gateway.commands.inputs import (
    InputUnusableError,
    make_folder,
    printable,
    read_bytes,
    read_json_object,
    read_key_set,
)

MAX_BUNDLE_BYTES = 1 << 30
EPILOG = """\
exit code:  0 verified    1 refused: changed, not signed by these keys, or not for this key
            2 a file could not be read or written

Nothing is written or shown before every check held. Without --key, everything but the contents is verified.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `bundle` group."""
    group = subparsers.add_parser("bundle", help="verify and open a sealed bundle")
    verbs = group.add_subparsers(metavar="VERB", required=True)
    shape = argparse.RawDescriptionHelpFormatter
    opens = verbs.add_parser("open", help="verify a bundle and open it", epilog=EPILOG, formatter_class=shape)
    verify = verbs.add_parser(
        "verify", help="verify a bundle without opening it", epilog=EPILOG, formatter_class=shape
    )
    for verb in (opens, verify):
        verb.add_argument("file", type=Path, metavar="FILE", help="the bundle (.mdb)")
        verb.add_argument(
            "--issuer-keys", type=Path, required=True, metavar="JWKS", help="keys of the gateway"
        )
        verb.add_argument("--issuer", metavar="URL", help="refuse a bundle of any other issuer")
        verb.add_argument("--json", action="store_true", help="print one JSON object")
        verb.set_defaults(run=_run, key=None, out=None)
    opens.add_argument("--key", type=Path, required=True, metavar="JWK", help="your private X25519 key")
    opens.add_argument("--out", type=Path, metavar="DIR", help="write the parts and manifest.json into DIR")


def _run(arguments: argparse.Namespace) -> int:
    try:
        opened = _open(arguments)
        shown = _shown(opened.manifest)
        written = _write(opened, arguments.out) if arguments.out else []
    except BundleRejected as error:
        if arguments.json:
            print(json.dumps({"verified": False, "code": error.code, "what": error.what}))
        else:
            print(f"REFUSED {error.code}: {error.what}.", file=sys.stderr)
        return 1
    except InputUnusableError as error:
        print(f"mydata: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        answer = {"verified": True, "manifest": opened.manifest, "written": [str(path) for path in written]}
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print("\n".join((*shown, *(f"wrote {path}" for path in written))))
    return 0


def _open(arguments: argparse.Namespace) -> Opened:
    data = read_bytes(arguments.file, MAX_BUNDLE_BYTES)
    issuer_keys = read_key_set(arguments.issuer_keys)
    if arguments.key is None:
        return Opened(verify_bundle(data, issuer_keys, issuer=arguments.issuer), {})
    return open_bundle(data, read_json_object(arguments.key), issuer_keys, issuer=arguments.issuer)


def _write(opened: Opened, folder: Path) -> list[Path]:
    """Write everything for this user only; never over a file that is there."""
    manifest = json.dumps(opened.manifest, ensure_ascii=False, indent=2).encode() + b"\n"
    files = {"manifest.json": manifest, **opened.parts}
    if taken := [name for name in files if (folder / name).exists()]:
        raise InputUnusableError(f"{folder}: {', '.join(taken)} already there; nothing was written")
    make_folder(folder)
    for name, content in files.items():
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    return [folder / name for name in files]


def _shown(manifest: dict[str, Any]) -> list[str]:
    """What a person reads; BundleRejected when the signed manifest lacks what mdb/1 always has."""
    try:
        return [*_summary(manifest), "", *coverage(manifest)]
    except (KeyError, TypeError, AttributeError):
        raise BundleRejected("bundle_manifest_invalid", "the manifest lacks members of mdb/1") from None


def _summary(manifest: dict[str, Any]) -> list[str]:
    recipient, consent, owed = manifest["recipient"], manifest["consent"], manifest["obligations"]
    duties = ["delete by " + owed["delete_by"]]
    duties += ["no re-identification"] if owed["no_reidentification"] else []
    duties += ["not to be passed on"] if owed["no_onward"] else []
    sizes = sum(part["plain_size"] for part in manifest["parts"])
    lines = [
        f"Bundle {manifest['id']}, verified" + (f" ({manifest['stamp']})" if "stamp" in manifest else ""),
        f"  from     {manifest['issuer']}, {manifest['created']}",
        f"  for      {recipient['name'].get('ko', '')} {recipient['id']}",
        f"  citizen  {manifest['subject']['pseudonym']} (pseudonym, epoch {manifest['subject']['epoch']})",
        f"  consent  {consent['id']} version {consent['version']}, purpose {consent['purpose']}",
        f"  duties   {', '.join((*duties, *owed['others']))}",
        f"  decision {manifest['decision']['id']} by {manifest['decision']['engine']}",
        f"  parts    {len(manifest['parts'])}, {sizes} bytes; {manifest['risk']['records']} records",
    ]
    return [printable(line) for line in lines]


def coverage(manifest: dict[str, Any]) -> list[str]:
    """The table of what was asked, what was sent, and what is missing and why: one row an item."""
    sources = {f"{one['holder']}/{one['dataset']}": one for one in manifest["sources"]}
    rows = [("ITEM", "BASIS", "OUTCOME", "RECORDS", "ASKED", "SENT", "MISSING AND WHY")]
    for scope in manifest["scope"]:
        source = sources.get(scope["item"], {})
        reasons = _withheld(scope["withheld"])
        reasons += [_reason("gap", gap["reason"], gap.get("at")) for gap in source.get("gaps", [])]
        reasons += [f"{count} unreadable ({cause})" for cause, count in source.get("unreadable", {}).items()]
        rows.append(
            (
                scope["item"],
                source.get("basis", "-"),
                source.get("outcome", "not pulled"),
                str(source.get("records", 0)),
                str(len(scope["asked"])),
                str(len(scope["sent"])),
                "; ".join(reasons) or "-",
            )
        )
    widths = [max(len(row[at]) for row in rows) for at in range(6)]
    aligned = ([*map(str.ljust, row[:6], widths), row[6]] for row in rows)
    return [printable("  ".join(cells)) for cells in aligned]


def _withheld(entries: list[dict[str, str]]) -> list[str]:
    """Fields with the same reason and article together."""
    grouped: dict[tuple[str, str | None], list[str]] = {}
    for one in entries:
        grouped.setdefault((one["reason"], one.get("article")), []).append(one["field"])
    return [_reason(", ".join(names), *why) for why, names in grouped.items()]


def _reason(what: str, reason: str, where: str | None) -> str:
    return f"{what}: {reason} ({where})" if where else f"{what}: {reason}"
