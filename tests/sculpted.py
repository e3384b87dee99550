"""What tests of `sculpt` share: a runner with settings of one's own, and a run that notes what it is handed."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trimesh

from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.kind_sculpt import SculptParams, SculptResult
from frontdesk.queue.settings import Settings
from frontdesk.worker import sculpt_runner, turntable
from frontdesk.worker.runner import Bench, CancelledRunError
from frontdesk.worker.sculpt_runner import SculptRunner


def runner(**settings: Any) -> SculptRunner:
    """Not loaded yet."""
    made = Settings.model_validate({"device": "cpu", **settings})
    return SculptRunner(Bench(SimpleNamespace(settings=made), Path()))  # type: ignore[arg-type]


class Noting:
    """A run that is cancelled where its `check` is asked for the `last` time; notes what it is handed."""

    job_id = "abc"

    def __init__(self, last: int | None = None, checked: Callable[[], None] = lambda: None) -> None:
        self.kept: dict[str, bytes] = {}
        self.shown: list[bytes] = []
        self.told: list[tuple[float, str]] = []
        self.checks = 0
        self._last = last
        self._checked = checked

    def progress(self, fraction: float, *, note: str) -> None:
        self.told.append((fraction, note))

    def check(self) -> None:
        self.checks += 1
        self._checked()
        if self.checks == self._last:
            raise CancelledRunError

    def show(self, data: bytes, *, name: str, media_type: str) -> None:
        assert media_type == "image/png"
        self.shown.append(data)

    def keep(self, data: bytes, *, name: str, media_type: str) -> Artifact:
        self.kept[name] = data
        return Artifact(name=name, sha256="0" * 64, size=len(data), media_type=media_type)


def sculpted(by: SculptRunner, prompt: str, context: Noting | None = None, **params: Any) -> tuple[SculptResult, bytes]:
    """The result, and its file."""
    context = context or Noting()
    result = by.run(SculptParams(prompt=prompt, **params), context)  # type: ignore[arg-type]
    return result, context.kept[result.file.name]


def read_back(data: bytes, format: str) -> trimesh.Trimesh:
    """The file as one mesh, as another program reads it."""
    mesh = trimesh.load(io.BytesIO(data), file_type=format, force="mesh")
    assert isinstance(mesh, trimesh.Trimesh)
    return mesh


def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few and small ones, where they are not what is tested."""
    monkeypatch.setattr(turntable, "FRAMES", 4)
    monkeypatch.setattr(turntable, "FRAME_SIZE", 48)
    monkeypatch.setattr(turntable, "STILL_SIZE", 96)
    monkeypatch.setattr(sculpt_runner, "still", partial(turntable.still, size=96))
