"""Khronos' own glTF validator, the npm package `gltf-validator`, fetched once and never part of this project."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = "gltf-validator@2.0.0-dev.3.10"
CACHE = Path(__file__).parent.parent / "build" / "gltf-validator"
SCRIPT = """
const validator = require("gltf-validator"), fs = require("fs");
const file = process.argv[1];
validator.validateBytes(new Uint8Array(fs.readFileSync(file)), {uri: file})
    .then(report => console.log(JSON.stringify(report)));
"""


class NoValidatorError(Exception):
    """There is no node, or the package cannot be fetched."""


@dataclass(frozen=True)
class Validator:
    folder: Path

    @classmethod
    def installed(cls, folder: Path = CACHE) -> Validator:
        if not shutil.which("node") or not shutil.which("npm"):
            raise NoValidatorError("node and npm are not installed")
        if not (folder / "node_modules" / "gltf-validator" / "package.json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "package.json").write_text("{}")  # else npm looks for one further up
            done = _run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE], folder)
            if done.returncode != 0:
                raise NoValidatorError(f"npm cannot fetch {PACKAGE}: {done.stderr.strip()[-300:]}")
        return cls(folder)

    def report(self, data: bytes, file: Path) -> dict[str, Any]:
        """What it says of a file, which is written to `file` for it."""
        file.write_bytes(data)
        done = _run(["node", "-e", SCRIPT, str(file)], self.folder)
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def complaints(self, data: bytes, file: Path) -> list[str]:
        """Its errors and warnings; remarks of lesser weight are left out."""
        messages = self.report(data, file)["issues"]["messages"]
        return [f"{issue['code']} at {issue.get('pointer')}: {issue['message']}" for issue in messages
                if issue["severity"] <= 1]  # fmt: skip


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
