"""The files of an answer at a terminal: copied to a folder, and never over another file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from carving import CARVE, carving, piece, usual
from console import Paper, Script, premises, staffed
from queueing import DrivenEngine
from redis.asyncio import Redis
from storing import folder_store

from frontdesk.bots.asking import Exit, ask
from frontdesk.bots.on_console import Chat, person
from frontdesk.bots.waiting import waiting
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.jobs import Job, Outcome


class Carver(DrivenEngine):
    """Ends every job with these files."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self._outcome = outcome

    async def run(self, made: Job, report: object) -> Outcome:
        return self._outcome


async def chatted(redis: Redis, store: ArtifactStore, outcome: Outcome, folder: Path) -> str:
    front, paper = replace(premises(redis, kinds=[CARVE], default="carve"), store=store), Paper()
    async with staffed(front, Carver(outcome)), waiting(front) as waiter:
        await Chat(front, waiter, Script("a horse"), paper, person("ada"), folder).run()
    return paper.text


async def test_files_are_copied_and_their_paths_printed(redis: Redis, tmp_path: Path) -> None:
    """Into the folder that was named, which is made."""
    store, folder = folder_store(tmp_path / "store"), tmp_path / "mine"
    text = await chatted(redis, store, carving(usual(store)), folder)
    assert sorted(path.name for path in folder.iterdir()) == ["horse.glb", "horse.stl", "turn.gif", "view.png"]
    assert (folder / "horse.glb").read_bytes() == b"a horse"
    assert f"Saved: {folder / 'horse.glb'}" in text


async def test_no_file_is_overwritten(redis: Redis, tmp_path: Path) -> None:
    """Not even a broken link; the copy gets a number."""
    store, folder = folder_store(tmp_path / "store"), tmp_path / "mine"
    folder.mkdir()
    (folder / "horse.glb").write_text("mine")
    (folder / "horse-2.glb").symlink_to(tmp_path / "nowhere")
    await chatted(redis, store, carving([piece(store, "horse.glb", "file", b"a horse")]), folder)
    assert (folder / "horse.glb").read_text() == "mine"
    assert (folder / "horse-3.glb").read_bytes() == b"a horse"
    assert not (tmp_path / "nowhere").exists()


async def test_a_folder_that_cannot_be_written_costs_no_answer(redis: Redis, tmp_path: Path) -> None:
    """It is said, and what was answered is shown."""
    store, folder = folder_store(tmp_path / "store"), tmp_path / "taken"
    folder.write_text("a file")
    text = await chatted(redis, store, carving([piece(store, "horse.glb", "file", b"a horse")]), folder)
    assert "It stands." in text
    assert f"horse.glb could not be written to {folder}: File exists." in text


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_script_gets_the_paths(redis: Redis, tmp_path: Path, as_json: bool) -> None:
    """`frontdesk ask --output`; what is no longer kept is told of."""
    store, folder = folder_store(tmp_path / "store"), tmp_path / "mine"
    pieces = [piece(store, "horse.glb", "file", b"a horse"), piece(store, "gone.glb", "file", b"gone")]
    store.remove(pieces[1]["artifact"]["sha256"])
    front, out = replace(premises(redis, kinds=[CARVE], default="carve"), store=store), Paper()
    async with staffed(front, Carver(carving(pieces))):
        exit_ = await ask(front, "carve", ["a horse"], within=20, as_json=as_json, out=out, err=Paper(), folder=folder)
    assert exit_ is Exit.DONE
    if as_json:
        assert json.loads(out.text)["files"] == [str(folder / "horse.glb")]
    else:
        assert "gone.glb (4 B) is no longer kept." in out.text
