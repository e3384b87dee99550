"""An object as a card of the gallery: its picture or the beginning of its text, its title, its kind."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from frontdesk.history.entries import Entry, KeptFile, Viewer
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.errors import FileGoneError, StoreError
from frontdesk.queue.jobs import Artifact
from frontdesk.queue.kinds import Registry, result_of
from frontdesk.queue.lines import one_line
from frontdesk.queue.picture_headers import picture_size

STILLS = frozenset({"image/png", "image/jpeg", "image/webp"})
PICTURES = STILLS | {"image/gif"}
EXCERPT = 420  # characters of a text
HEAD = 65_536  # bytes
REMEMBERED = 20_000  # pictures whose size is known
SQUARE = (512, 512)
# Heights of a card's picture in twentieths of its width, for each of which style.css has a class.
HEIGHTS = (10, 14, 17, 20, 24, 28)


@dataclass(frozen=True, slots=True)
class Picture:
    """`still`, `moving`: addresses; width and height in pixels. drawn: a chart, of which nothing may be cut off."""

    still: str
    width: int
    height: int
    moving: str = ""
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """`excerpt`: what stands in place of a picture. `height`: one of HEIGHTS."""

    id: str
    title: str
    kind: str
    own: bool
    public: bool
    at: float
    height: int
    picture: Picture | None
    excerpt: str


def address(entry: Entry, artifact: Artifact) -> str:
    """Where a file of an object is, for who may see the object."""
    return f"/files/{entry.id}/{artifact.sha256}/{artifact.name}"


class Cards:
    """Makes cards. Blocking: how large a picture is stands in its first bytes, which are read once."""

    def __init__(self, kinds: Registry, store: ArtifactStore | None) -> None:
        self._kinds = kinds
        self._store = store
        self._sizes = OrderedDict[str, tuple[int, int]]()

    def of(self, entries: Sequence[Entry], viewer: Viewer) -> list[Card]:
        return [self._card(entry, entry.own(viewer)) for entry in entries]

    def picture(self, entry: Entry) -> Picture | None:
        """What a card shows of it: a still, beside which a preview may move."""
        preview, still = _shown(entry, "preview"), _shown(entry, "still")
        moves = preview is not None and preview.artifact.media_type == "image/gif"
        drawn = preview is not None and not moves
        chosen = preview if drawn or still is None else still
        if chosen is None:
            return None
        width, height = self.size(chosen.artifact)
        moving = address(entry, preview.artifact) if preview and moves and chosen is not preview else ""
        return Picture(address(entry, chosen.artifact), width, height, moving, drawn)

    def size(self, artifact: Artifact) -> tuple[int, int]:
        """Width and height in pixels; where they cannot be known without fetching all of it, those of a square."""
        found = self._sizes.get(artifact.sha256)
        if found is None:
            found = self._read(artifact) or SQUARE
            self._sizes[artifact.sha256] = found
            if len(self._sizes) > REMEMBERED:
                self._sizes.popitem(last=False)
        return found

    def _read(self, artifact: Artifact) -> tuple[int, int] | None:
        try:
            if self._store is None or (path := self._store.path(artifact)) is None:
                return None
            with path.open("rb") as file:
                head = file.read(HEAD)
        except (FileGoneError, StoreError, OSError):
            return None
        if head[:4] == b"GIF8" and len(head) >= 10:
            size = (int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little"))
        else:
            size = picture_size(head) or (0, 0)
        return size if min(size) > 0 else None

    def _card(self, entry: Entry, own: bool) -> Card:
        picture = self.picture(entry)
        if picture is not None:
            height, excerpt = _height(picture.width, picture.height), ""
        else:
            excerpt = self._excerpt(entry)
            height = _height(40, 14 + len(excerpt) // 13)
        return Card(
            entry.id, entry.title, entry.kind, own, entry.public, entry.finished_at, height, picture, excerpt
        )  # fmt: skip

    def _excerpt(self, entry: Entry) -> str:
        """The beginning of the answer's text, or its headline."""
        came = result_of(self._kinds.get(entry.kind), entry.outcome)
        return one_line((came.body() or came.headline() or "") if came else "", EXCERPT)


def _shown(entry: Entry, role: str) -> KeptFile | None:
    """The first picture of a role that a browser can show."""
    return next((file for file in entry.files if file.role == role and file.artifact.media_type in PICTURES), None)


def _height(width: int, height: int) -> int:
    return min(HEIGHTS, key=lambda each: abs(each - 20 * height / width))
