"""A made-up kind whose answers have files, for tests of their delivery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.jobs import Outcome, Version
from frontdesk.queue.kinds import Attachment, JobKind, Params, Result

GIF, PNG, GLB = "image/gif", "image/png", "model/gltf-binary"
Role = Literal["preview", "still", "file"]


class CarveParams(Params):
    what: Annotated[str, Field(description="What to carve", min_length=1, max_length=100)]


class Piece(Params):
    artifact: Artifact
    role: Role
    smaller: tuple[Version, ...] = ()


class CarveResult(Result):
    story: str
    pieces: tuple[Piece, ...]

    def headline(self) -> str:
        return "Carved."

    def body(self) -> str:
        return self.story

    def figures(self) -> list[tuple[str, str]]:
        return [("Pieces", str(len(self.pieces)))]

    def attachments(self) -> Sequence[Attachment]:
        return [Attachment(piece.artifact, piece.role, piece.smaller) for piece in self.pieces]


CARVE = JobKind("carve", "Carve a figure", CarveParams, CarveResult, cost=lambda _: 1.0)


def gif(size: int = 60) -> bytes:
    return b"GIF89a".ljust(size, b"g")


def png(size: int = 50) -> bytes:
    return b"\x89PNG".ljust(size, b"p")


def piece(
    store: ArtifactStore, name: str, role: Role, data: bytes, media_type: str = GLB, smaller: Sequence[bytes] = ()
) -> dict[str, Any]:
    """A stored file with smaller versions of it, as a result names them."""
    artifact = store.put(data, name=name, media_type=media_type)
    stem, _, suffix = name.rpartition(".")
    versions = [store.put(each, name=f"{stem}-{len(each)}.{suffix}", media_type=media_type) for each in smaller]
    return {
        "artifact": artifact.model_dump(),
        "role": role,
        "smaller": [each.model_dump() | {"note": f"{each.size} of {len(data)} faces"} for each in versions],
    }


def usual(store: ArtifactStore) -> list[dict[str, Any]]:
    """A moving preview, a still and two models."""
    return [
        piece(store, "turn.gif", "preview", gif(), GIF),
        piece(store, "view.png", "still", png(), PNG),
        piece(store, "horse.glb", "file", b"a horse"),
        piece(store, "horse.stl", "file", b"a horse in plain triangles"),
    ]


def carved(pieces: Sequence[dict[str, Any]], story: str = "It stands.") -> dict[str, Any]:
    """A result."""
    return {"story": story, "pieces": list(pieces)}


def carving(pieces: Sequence[dict[str, Any]], story: str = "It stands.") -> Outcome:
    return Outcome(status="done", result=carved(pieces, story), seconds=1.5)
