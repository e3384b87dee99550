"""The examples of docs/api.md, run as they stand there."""

from __future__ import annotations

import asyncio
import base64
import re
import subprocess
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from doorway import ADA, FRAME, Doorway, FrameParams, doorway
from pydantic import Field
from queueing import ECHO, EchoParams, echoed
from redis.asyncio import Redis

from frontdesk.gallery.webhook_sending import signature

DOCS = (Path(__file__).parent.parent / "docs" / "api.md").read_text("utf-8")
LITERAL = 'curl -s -XPOST -H "Authorization: Bearer $KEY" -d @job.json http://localhost:8080/api/v1/jobs'


class Prompt(FrameParams):
    prompt: str = Field(description="What to make")


class Words(EchoParams):
    text: str = Field("", description="Nothing")
    prompt: str = Field(description="What to write")


WRITE = replace(ECHO, name="write", params=Words)
SCULPT = replace(FRAME, name="sculpt", params=Prompt)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)


async def test_the_examples_with_curl_work_as_they_stand(redis: Redis, tmp_path: Path) -> None:
    """Submit, wait, follow and download, with nothing changed but the port."""
    [job] = blocks("json")
    (tmp_path / "job.json").write_text(job)
    assert LITERAL + "\n" in blocks("sh")
    async with doorway(redis, tmp_path / "desk", hold=True, kinds=(WRITE, SCULPT)) as way:
        ending = asyncio.create_task(_end_all(way))
        script = "set -eu\n" + "echo ---\n".join(blocks("sh")).replace("http://localhost:8080", way.url)
        environment = {"KEY": await way.key(ADA), "PATH": "/usr/local/bin:/usr/bin:/bin"}
        done = await asyncio.to_thread(
            subprocess.run, ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True,
            timeout=60,
        )  # fmt: skip
        ending.cancel()
        with suppress(asyncio.CancelledError):
            await ending
    assert done.returncode == 0, done.stderr
    ticket, waited, events, _ = done.stdout.split("---\n")
    assert '"position":' in ticket
    assert '"said": "rain"' in waited
    assert "event: end" in events
    assert (tmp_path / "frame.glb").read_bytes() == b"made"


async def _end_all(way: Doorway) -> None:
    while True:
        job = await way.engine.started.get()
        way.engine.end(job.id, echoed("rain") if job.kind == "write" else await way.framed(b"made"))


def test_the_example_that_verifies_a_webhook_does() -> None:
    """What we sign it takes; what was altered, or is old, it does not."""
    found: dict[str, Any] = {}
    exec(blocks("python")[0], found)  # noqa: S102 - our own documentation
    secret, now = "whsec_" + base64.b64encode(b"k" * 32).decode(), int(time.time())

    def verified(body: bytes, at: int) -> bool:
        signed = signature(secret, "msg_x", at, b"{}")
        headers = {"webhook-id": "msg_x", "webhook-timestamp": str(at), "webhook-signature": signed}
        return bool(found["verified"](secret, headers, body))

    assert verified(b"{}", now)
    assert not verified(b"{ }", now)
    assert not verified(b"{}", now - 301)
