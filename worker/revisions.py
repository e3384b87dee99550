"""Which weights exactly a model has: the commit of a hub's repository, or a fingerprint of a folder's files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

ENDS = 1_000_000  # bytes that are read of a file's beginning and of its end: to read all of it can take minutes
DIGITS = 12


def revision_of(config: Any, source: Path | str) -> str | None:
    """Of what transformers or diffusers loaded from a hub's name or a folder: twelve hexadecimal digits, or None."""
    if isinstance(source, Path):
        return fingerprint(source)
    commit = getattr(config, "_commit_hash", None)
    return str(commit)[:DIGITS] if commit else None


def fingerprint(folder: Path) -> str | None:
    """SHA-256 over the names and sizes of a folder's weights and the first and last megabyte of each; None without."""
    files = sorted(folder.rglob("*.safetensors"))
    digest = hashlib.sha256()
    for path in files:
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()}\n{size}\n".encode())
        with path.open("rb") as file:
            digest.update(file.read(ENDS))
            file.seek(max(0, size - ENDS))
            digest.update(file.read(ENDS))
    return digest.hexdigest()[:DIGITS] if files else None
