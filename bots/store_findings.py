"""What the doctor sees of the store of files: whether it takes one and gives it back, its room, and its links."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from frontdesk.bots.findings import Finding, broken, good, note
from frontdesk.bots.links import links_of
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.errors import ConfigurationError, FileDamagedError, FileGoneError, StoreError
from frontdesk.queue.settings import Settings

PROBE = "doctor"  # it lies where a job's picture would: what is left of it is swept
PATIENCE = 60.0  # seconds for a bucket that does not answer
LEAST_ROOM = 2 * 10**9  # bytes
CONTENT = b"frontdesk doctor"


async def store(settings: Settings) -> list[Finding]:
    """Put a small file, read it, remove it; then how much room is left, and who gets links."""
    try:
        artifacts = ArtifactStore.of(settings)
    except ConfigurationError as error:
        return [broken("files", str(error), "Mend the settings that begin with FRONTDESK_ARTIFACTS.")]
    where = settings.artifacts_url or str(settings.data_dir / "artifacts")
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.to_thread(_tried, artifacts)
    except (StoreError, FileGoneError, FileDamagedError, OSError, TimeoutError) as error:
        advice = (
            "Make that folder writable for this user, or set FRONTDESK_ARTIFACTS_URL to another one."
            if artifacts.in_folder
            else "See that the bucket is there, and that the key may read, write, list and delete in it."
        )
        return [broken("files", f"{where} does not take a file and give it back: {_why(error)}", advice)]
    return [*_room(artifacts, where), *_links(settings, artifacts)]


def _tried(artifacts: ArtifactStore) -> None:
    artifact = artifacts.show(PROBE, CONTENT, name="probe.txt", media_type="text/plain")
    try:
        with tempfile.TemporaryDirectory(prefix="frontdesk-") as folder:
            artifacts.fetch_shown(PROBE, artifact, Path(folder))
    finally:
        artifacts.hide(PROBE)


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, StoreError) else f"{type(error).__name__}."


def _room(artifacts: ArtifactStore, where: str) -> Iterator[Finding]:
    """Of a folder; a bucket does not say."""
    if not artifacts.in_folder:
        yield good("files", f"{where} takes files.")
        return
    free = shutil.disk_usage(where).free
    if free < LEAST_ROOM:
        advice = "Free some space, or lower FRONTDESK_KEEP_DAYS or FRONTDESK_KEEP_OBJECTS."
        yield note("files", f"{where} has only {free / 1e9:.1f} GB left.", advice)
    else:
        yield good("files", f"{where} takes files; {free / 1e9:.0f} GB free.")


def _links(settings: Settings, artifacts: ArtifactStore) -> Iterator[Finding]:
    if not artifacts.in_folder:
        yield good("links", "the bucket's server gives them; the people who ask must reach it.")
        return
    if settings.files_url is None:
        advice = "Set FRONTDESK_FILES_URL, or hand such files out with `frontdesk fetch JOB`."
        yield note("links", "what is too large for a chat is offered without one.", advice)
        return
    try:
        links_of(settings)
    except ConfigurationError as error:
        yield broken("links", str(error), "Mend the key that signs them.")
        return
    if find_spec("aiohttp") is None:
        yield broken("links", "aiohttp is not installed.", "Run: pip install 'frontdesk[bots]'")
        return
    if urlsplit(settings.files_url).scheme != "https":
        advice = "Put a proxy with a certificate before the bot: who listens on the way can use a link."
        yield note("links", f"{settings.files_url} is not encrypted.", advice)
        return
    yield good("links", f"below {settings.files_url}, listening on {settings.files_listen}.")
