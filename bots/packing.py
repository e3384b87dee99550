"""Fetches an answer's files from the store, for as long as the answer is being delivered."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import structlog

from frontdesk.bots.parcels import Parcel, Room, fitted, parcels
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.errors import FileDamagedError, FileGoneError, StoreError
from frontdesk.queue.kinds import Attachment

log = structlog.get_logger()

LINK_LIFE = 86_400.0  # seconds for which a link to a file is good
PATIENCE = 60.0  # seconds for a file, beside those for its bytes
SLOWEST = 500_000.0  # bytes a second
AWAY = (StoreError, OSError, TimeoutError)  # the second: no room on this machine


@asynccontextmanager
async def packed(
    store: ArtifactStore | None, attachments: Sequence[Attachment], room: Room, *, insist: bool
) -> AsyncIterator[tuple[Parcel, ...]]:
    """The files that fit, as copies that are gone after the block; the others with the reason, and those that are too
    large with a link where the store gives links.

    insist: raise StoreError where the store cannot be reached, instead of going without.
    """
    wanted = fitted(parcels(attachments), room)
    with tempfile.TemporaryDirectory(prefix="frontdesk-", ignore_cleanup_errors=True) as folder:
        made: list[Parcel] = []
        for number, parcel in enumerate(wanted):
            away = any(one.without == "away" for one in made)  # then it is not waited for with every file
            made.append(await _packed(None if away else store, parcel, Path(folder) / str(number), insist=insist))
        yield tuple(made)


async def _packed(store: ArtifactStore | None, parcel: Parcel, folder: Path, *, insist: bool) -> Parcel:
    artifact = parcel.attachment.artifact
    if store is None:
        return replace(parcel, without=parcel.without or "away")
    try:
        async with asyncio.timeout(PATIENCE + artifact.size / SLOWEST):
            # Also for those that fit: the platform may think otherwise.
            parcel = replace(parcel, link=await asyncio.to_thread(store.signed, artifact, LINK_LIFE))
            if parcel.without is not None:
                return parcel
            return replace(parcel, path=await asyncio.to_thread(store.fetch, artifact, folder))
    except FileGoneError:
        return replace(parcel, without="gone", link=None)
    except FileDamagedError:
        return replace(parcel, without="damaged", link=None)
    except AWAY as error:
        if insist:
            raise StoreError("A file cannot be fetched.") from error
        log.warning("an answer goes out without a file", reason=type(error).__name__)
        return replace(parcel, without=parcel.without or "away")
