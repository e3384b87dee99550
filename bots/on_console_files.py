"""The files of an answer, copied to where its asker works."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import BinaryIO

from frontdesk.bots.file_replies import left_out
from frontdesk.bots.packing import packed, pictured
from frontdesk.bots.parcels import Parcel, Room, numbered
from frontdesk.bots.replies import Foreign, Line, Reply, line
from frontdesk.queue.artifacts import ArtifactStore

UNLIMITED = 2**62
ROOM = Room(UNLIMITED, UNLIMITED, UNLIMITED)


async def with_files(
    reply: Reply, job_id: str, store: ArtifactStore | None, folder: Path
) -> tuple[Reply, tuple[Path, ...]]:
    """Copy the reply's files to `folder`, in place of no other file; the reply with their paths, and these.

    What cannot be had or written is told of in the reply.
    """
    if not reply.attachments:
        return reply, ()
    lines, paths = list[Line](), list[Path]()
    async with packed(store, reply.attachments, ROOM, insist=False) as parcels:
        for parcel in parcels:
            if parcel.path is None:
                lines += left_out(job_id, [parcel])
                continue
            try:
                paths.append(await asyncio.to_thread(_copied, parcel, parcel.path, folder))
            except OSError as error:
                why = error.strerror or type(error).__name__
                lines.append(line(f"{parcel.name} could not be written to ", Foreign(str(folder)), f": {why}."))
            else:
                lines.append(line("Saved: ", Foreign(str(paths[-1]))))
    return replace(reply, blocks=(*reply.blocks, *lines), attachments=()), tuple(paths)


async def with_pictures(reply: Reply, store: ArtifactStore | None, folder: Path) -> Reply:
    """The reply of a command with where its files are: those that are there to be looked at together, and those that
    lie on the disk already. Other pictures are not copied: nobody asked for a file."""
    if not reply.album:
        reply = replace(reply, attachments=())
    lines = list[Line]()
    async with pictured(store, reply) as shown:
        for parcel in shown.parcels:
            if parcel.path is None:
                continue
            try:
                saved = await asyncio.to_thread(_once, parcel, parcel.path, folder)
            except OSError as error:
                why = error.strerror or type(error).__name__
                lines.append(line(f"{parcel.name} could not be written to ", Foreign(str(folder)), f": {why}."))
            else:
                lines.append(line("Saved: ", Foreign(str(saved))))
    return replace(shown, blocks=(*shown.blocks, *lines), parcels=())


def _once(parcel: Parcel, source: Path, folder: Path) -> Path:
    """As `_copied`, but for a file that was copied there before. Raises OSError."""
    before = folder / parcel.name
    if before.is_file() and before.read_bytes() == source.read_bytes():
        return before
    return _copied(parcel, source, folder)


def _copied(parcel: Parcel, source: Path, folder: Path) -> Path:
    with source.open("rb") as content:
        return written(folder, parcel.name, content)


def written(folder: Path, name: str, content: BinaryIO) -> Path:
    """Under that name, or with a number where it is taken, also by somebody who writes at the same time. `name` is a
    bare file name. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        target = folder / (name if number == 1 else numbered(name, number))
        try:
            file = target.open("xb")
        except FileExistsError:
            continue
        try:
            with file:
                shutil.copyfileobj(content, file)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return target
    raise AssertionError("there is always another number")
