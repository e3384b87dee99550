"""A file that somebody at a terminal names by its path: read by the console's own process, and by no other."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from console import Paper, Script, premises, staffed
from mounting import HANG, MAX, MOUNT, REFUSED, good
from queueing import DrivenEngine
from redis.asyncio import Redis
from storing import folder_store

from frontdesk.bots.asking import Exit, ask
from frontdesk.bots.desk import Admins, Desk
from frontdesk.bots.incoming import IncomingFile, LostUploadError, read_local
from frontdesk.bots.main import Premises
from frontdesk.bots.main import premises as opened
from frontdesk.bots.on_console import Chat, person
from frontdesk.bots.uploads import Uploads
from frontdesk.bots.waiting import waiting
from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.jobs import Job, Outcome
from frontdesk.queue.kinds import Registry
from frontdesk.queue.settings import Settings
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits


class Mounter(DrivenEngine):
    """Says what it was asked with."""

    def __init__(self, store: ArtifactStore) -> None:
        super().__init__()
        self.store = store
        self.seen: list[bytes] = []

    async def run(self, made: Job, report: object) -> Outcome:
        artifact = Artifact.model_validate(made.params["pictures"])
        self.seen.append(self.store.read(artifact))
        return Outcome(status="done", result={"said": f"mounted {artifact.name}"}, seconds=0.1)


@pytest.fixture
def front(redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Premises:
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    store, made = folder_store(tmp_path / "store"), premises(redis, kinds=[MOUNT, HANG], default="mount")
    desk = Desk(made.kinds, made.broker, Limiter(redis), Limits.load(), Admins(), uploads=Uploads(store))
    return replace(made, desk=desk, store=store)


async def asked(front: Premises, *words: str) -> tuple[Exit, dict[str, object], list[bytes]]:
    """`frontdesk ask mount ... --json`."""
    assert front.store is not None
    out, engine = Paper(), Mounter(front.store)
    async with staffed(front, engine):
        exit_ = await ask(front, "mount", words, within=20, as_json=True, out=out, err=Paper())
    return exit_, json.loads(out.text), engine.seen


async def test_ask_sends_a_file_by_its_path(front: Premises, tmp_path: Path) -> None:
    """The worker reads it; other options stand beside it."""
    path = tmp_path / "my holiday.ZIP"
    path.write_bytes(good())
    exit_, said, seen = await asked(front, f"pictures={path}", "colour=red")
    assert (exit_, said["result"], seen) == (Exit.DONE, {"said": "mounted pictures.zip"}, [good()])
    assert list((tmp_path / "temp").iterdir()) == []


async def test_every_front_end_is_opened_with_a_store(
    redis: Redis, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that the settings name, where workers look as well."""
    monkeypatch.setattr(Registry, "installed", lambda: Registry([MOUNT]))
    (tmp_path / "a.zip").write_bytes(good())
    settings = Settings(default_kind="mount", artifacts_url=str(tmp_path / "shared"))
    async with opened(settings) as front:
        out = Paper()
        async with staffed(front, Mounter(folder_store(tmp_path / "shared"))):
            words = ["pictures=a.zip"]
            assert await ask(front, "mount", words, within=20, as_json=False, out=out, err=Paper()) is Exit.DONE
    assert "mounted pictures.zip" in out.text


async def test_a_path_may_be_short(front: Premises, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here, from home, or with the sign that means a file elsewhere."""
    (tmp_path / "a.zip").write_bytes(good())
    monkeypatch.setenv("HOME", str(tmp_path))
    for typed in ("a.zip", "~/a.zip", "@a.zip"):
        exit_, _, seen = await asked(front, f"pictures={typed}")
        assert (exit_, seen) == (Exit.DONE, [good()])


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.zip", None, "there is no file a.zip"),
        ("temp", None, "temp is no ordinary file"),
        ("pipe.zip", None, "pipe.zip is no ordinary file"),
        ("x" * 5000, None, "cannot be read"),
        ("a.rar", good(), "a.rar is not of a sort that is taken"),
        ("a.zip", good() + bytes(MAX), "send a .zip of at most 100 kB"),
        *(("a.zip", *REFUSED[sort]) for sort in ("way up", "no zip", "empty", "bomb")),
    ],
)
async def test_what_is_not_taken_is_refused(
    front: Premises, tmp_path: Path, name: str, content: bytes | None, why: str
) -> None:
    """With one sentence, and the exit status of a refusal."""
    os.mkfifo(tmp_path / "pipe.zip")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    exit_, said, seen = await asked(front, f"pictures={name}")
    assert (exit_, said["status"], seen) == (Exit.REFUSED, "refused", [])
    assert why in str(said["reason"])
    assert list((tmp_path / "temp").iterdir()) == []


async def test_a_file_that_cannot_be_read_after_all_is_told(tmp_path: Path) -> None:
    """It went meanwhile, or its disk is broken."""
    with pytest.raises(LostUploadError) as error:
        async for _ in read_local(IncomingFile.of(str(tmp_path / "gone.zip"), "gone.zip")):
            pass
    assert error.value.sentence == "cannot be read: No such file or directory."


async def test_the_chat_asks_for_a_path(front: Premises, tmp_path: Path) -> None:
    """In the command, or when it is asked for; a wrong one is asked for again."""
    (tmp_path / "my holiday.zip").write_bytes(good())
    (tmp_path / "bad.zip").write_bytes(b"nothing")
    assert front.store is not None
    paper, engine = Paper(), Mounter(front.store)
    script = Script(
        '/mount pictures="my holiday.zip"', "/mount colour=red", "gone.zip", "my holiday.zip", "/mount pictures=bad.zip"
    )
    async with staffed(front, engine), waiting(front) as waiter:
        await Chat(front, waiter, script, paper, person("ada")).run()
    assert engine.seen == [good(), good()]
    assert paper.text.count("said: mounted pictures.zip") == 2
    assert "mount: A zip of pictures (a .zip of at most 100 kB)" in paper.text
    assert "pictures: there is no file gone.zip." in paper.text
    assert "pictures: bad.zip is called .zip, but is none." in paper.text
