"""Twilio's own OpenAPI definition, out of its npm package, cut to what we use."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

PACKAGE = "@twilio/cli-core@9.0.0"
MEMBER = "package/src/services/twilio-api/twilio_api_v2010.json"
PRISM = "@stoplight/prism-cli@5.9.0"  # 5.9 runs on Node 18.20 and newer
FETCH_SECONDS = 180


class NotAvailable(Exception):
    """Node, npm or the network is missing; says which."""


def fetch(folder: Path) -> dict[str, Any]:
    """Get the package with npm and read the definition. Raises NotAvailable."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotAvailable("npm is not installed (it comes with Node)")
    run = subprocess.run(
        [npm, "pack", "--silent", "--pack-destination", str(folder), PACKAGE],
        capture_output=True, text=True, timeout=FETCH_SECONDS, check=False,
    )  # fmt: skip
    packed = next(folder.glob("*.tgz"), None)
    if run.returncode != 0 or packed is None:
        why = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotAvailable(f"npm could not get {PACKAGE}: {why}")
    with tarfile.open(packed) as archive:
        member = archive.extractfile(MEMBER)
        if member is None:
            raise NotAvailable(f"{PACKAGE} holds no {MEMBER}")
        read: dict[str, Any] = json.load(member)
        return read


def cut(definition: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """The definition with these paths alone; a mock of the whole takes minutes to start."""
    return {**definition, "paths": {path: definition["paths"][path] for path in paths}}


def resolve(definition: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference inside the definition."""
    while "$ref" in schema:
        found: Any = definition
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        schema = found
    return schema
