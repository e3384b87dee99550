"""What the gallery says in a chat: a page of objects, one object, its receipt. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from frontdesk.bots.file_replies import size
from frontdesk.bots.listings import Listing
from frontdesk.bots.own_commands import own_button
from frontdesk.bots.replies import (
    Block,
    Button,
    Code,
    Foreign,
    Link,
    Reply,
    Rows,
    Span,
    Strong,
    line,
    outcome_reply,
)
from frontdesk.history.entries import Entry, KeptFile, Page
from frontdesk.history.receipts import parameters, receipt
from frontdesk.queue.jobs import Version
from frontdesk.queue.kinds import AnyKind
from frontdesk.queue.lines import one_line
from frontdesk.queue.results import Attachment

COMMAND: Final = "gallery"  # whose buttons these are
TITLE, SHORT_TITLE = 200, 90  # characters
GIVEN = 240  # characters of all parameters together
FILES = 4
MESH = ("model/gltf-binary", "model/gltf+json")
EMPTY: Final[Mapping[str, str]] = {
    "gallery": "Nothing is there yet. What people make and do not keep to themselves is shown here.",
    "mine": "You have made nothing yet that is still kept.",
    "search": "Nothing was found.",
    "meaning": "Nothing like it was found.",
    "shape": "Nothing of such a shape was found.",
}
REASONS: Final = ("It is offensive", "It is somebody's private matter", "It breaks the rules here")


def page_reply(listing: Listing, token: str, number: int, page: Page, now: float) -> Reply:
    """A page of a list, from 0. Buttons open its objects and turn the pages. It is secret if others may not see all of
    it, or if it lists what is one's own."""
    if not page.entries:
        return Reply(
            (line(*_head(listing)), line(EMPTY[listing.of])), _turning(token, number, page), secret=_own(listing)
        )
    blocks: list[Block] = [line(*_head(listing), f", page {number + 1}" if number or page.after else "")]
    blocks += [_listed(place, entry, now) for place, entry in enumerate(page.entries, 1)]
    opening = [own_button(COMMAND, str(place), f"o:{entry.id}:{token}:{number}") for place, entry in
               enumerate(page.entries, 1)]  # fmt: skip
    return Reply(
        tuple(blocks),
        (*opening, *_turning(token, number, page)),
        attachments=tuple(still for entry in page.entries if (still := picture(entry, moving=False))),
        secret=_own(listing) or not all(entry.public for entry in page.entries),
    )


def _own(listing: Listing) -> bool:
    return listing.of == "mine"


def _head(listing: Listing) -> tuple[Span | str, ...]:
    of_kind = f", {listing.kind}" if listing.kind else ""
    match listing.of:
        case "mine":
            return (Strong("Yours"), of_kind)
        case "search":
            return (Strong("Search"), ": ", Foreign(one_line(listing.text, SHORT_TITLE)))
        case "meaning":
            return (Strong("Similar"), " to ", Code(listing.job))
        case "shape":
            return (Strong("Similar"), " in shape to ", Code(listing.job))
    return (Strong("Gallery"), of_kind or ", newest first")


def _listed(place: int, entry: Entry, now: float) -> Block:
    seen = "" if entry.public else ", hidden by an admin" if entry.hidden else ", only you see it"
    ago = _ago(now - entry.finished_at)
    title = Foreign(one_line(entry.title, SHORT_TITLE))
    return line(f"{place}. ", title, f" ({entry.kind}, {ago}{seen}) ", Code(entry.id))


def _ago(seconds: float) -> str:
    """In whole minutes, hours or days."""
    for length, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= (2 if unit == "days" else 1) * length:
            return f"{int(seconds // length)} {unit} ago"
    return "just now"


def _turning(token: str, number: int, page: Page) -> tuple[Button, ...]:
    back = (own_button(COMMAND, "Back", f"p:{token}:{number - 1}"),) if number else ()
    return (*back, own_button(COMMAND, "Next", f"p:{token}:{number + 1}")) if page.after else back


def object_reply(
    kind: AnyKind | None, entry: Entry, *, own: bool, way_back: str = "", links: Mapping[str, str] | None = None
) -> Reply:
    """One object: what it is, its receipt in short, its picture, and what can be done with it.

    way_back: the list that it was opened from, as "TOKEN:PAGE". links: addresses of its files by their names.
    """
    blocks: list[Block] = [line(Strong(entry.kind), " ", Code(entry.id)), line(Foreign(one_line(entry.title, TITLE)))]
    headline = _headline(kind, entry)
    if headline and headline != entry.title:
        blocks.append(line(Foreign(one_line(headline, TITLE))))
    if entry.status != "done":
        blocks.append(line(f"{entry.status}. ", Foreign(one_line(entry.reason or "", TITLE))))
    blocks.append(Rows(tuple(short_receipt(entry))))
    if files := _files(entry, links or {}):
        blocks.append(line(*files))
    if own and entry.made:
        blocks.append(line(_seen(entry)))
    shown = picture(entry)
    return Reply(
        tuple(blocks),
        _buttons(entry, own=own, way_back=way_back),
        attachments=(shown,) if shown else (),
        secret=not entry.public,
    )


def _headline(kind: AnyKind | None, entry: Entry) -> str:
    answer = outcome_reply(kind, entry.id, entry.outcome)
    spans = [span for block in answer.blocks[:1] for span in getattr(block, "spans", ())]
    return spans[0].text if kind and len(spans) == 1 and isinstance(spans[0], Strong) else ""


def _seen(entry: Entry) -> str:
    if entry.published_at is None:
        return "Only you see it."
    return (
        "An admin has hidden it: only you see it." if entry.hidden else "Published: everybody sees it in the gallery."
    )


def short_receipt(entry: Entry) -> list[tuple[str, str]]:
    """The receipt without what the title or the head says already, and with all parameters in one row."""
    given = {
        name: value
        for name, value in parameters(entry).items()
        if one_line(value, TITLE) != one_line(entry.title, TITLE)
    }
    listed = ", ".join(f"{name}={value}" for name, value in given.items())
    own = {"Job", "Kind", "Waited", *parameters(entry)}
    rows = [("Parameters", one_line(listed, GIVEN))] if listed else []
    return rows + [(label, value) for label, value in receipt(entry) if label not in own]


def receipt_block(entry: Entry) -> Rows:
    """All of it."""
    return Rows(tuple(receipt(entry)))


def _files(entry: Entry, links: Mapping[str, str]) -> list[Span | str]:
    spans: list[Span | str] = []
    for file in [file for file in entry.files if file.role == "file"][:FILES]:
        name = file.artifact.name
        shown = Link(name, links[name]) if name in links else Code(name)
        spans += [", " if spans else "Files: ", shown, f" ({size(file.artifact.size)})"]
    return spans


def _buttons(entry: Entry, *, own: bool, way_back: str) -> tuple[Button, ...]:
    back = f":{way_back}" if way_back else ""
    made = [own_button(COMMAND, "Similar", f"s:{entry.id}")] if entry.made else []
    if entry.made and any(file.artifact.media_type in MESH for file in entry.files):
        made.append(own_button(COMMAND, "Similar shape", f"h:{entry.id}"))
    if own:
        if entry.made and not entry.hidden:
            hide = entry.published_at is not None
            made.append(
                own_button(COMMAND, "Unpublish" if hide else "Publish", f"{'n' if hide else 'y'}:{entry.id}{back}")
            )
        made.append(own_button(COMMAND, "Rerun", f"r:{entry.id}"))
    elif entry.public:
        made.append(own_button(COMMAND, "Report", f"t:{entry.id}{back}"))
    if way_back:
        made.append(own_button(COMMAND, "Back to the list", f"p:{way_back}"))
    return tuple(made)


def report_reply(entry: Entry, way_back: str = "") -> Reply:
    """Asks what is wrong with an object."""
    back = f":{way_back}" if way_back else ""
    reasons = tuple(
        own_button(COMMAND, reason, f"u:{number}:{entry.id}{back}") for number, reason in enumerate(REASONS)
    )
    about = line("What is wrong with ", Code(entry.id), "? The admins of this desk will read it.")
    other = line("In your own words: ", Code(f"/report {entry.id} ..."))
    return Reply(
        (about, other), (*reasons, own_button(COMMAND, "Back", f"o:{entry.id}{back}")), secret=not entry.public
    )


def picture(entry: Entry, *, moving: bool = True) -> Attachment | None:
    """What is shown of it, with the smaller versions of that file. `moving`: a preview, which may turn, comes before a
    still."""
    for role in ("preview", "still") if moving else ("still", "preview"):
        for place, file in enumerate(entry.files):
            if file.role == role and file.artifact.media_type.startswith("image/"):
                named = file.artifact.model_copy(update={"name": _named(entry, file)})
                return Attachment(named, role, smaller=_smaller(entry.files[place + 1 :]))
    return None


def _named(entry: Entry, file: KeptFile) -> str:
    """With its job's id: pictures of several objects come together."""
    return f"{entry.id}-{file.artifact.name}"[-80:]


def _smaller(following: Sequence[KeptFile]) -> tuple[Version, ...]:
    found = []
    for file in following:
        if file.role != "smaller":
            break
        found.append(Version(**file.artifact.model_dump(), note=file.note or "smaller"))
    return tuple(found)


def whole_files(entry: Entry) -> tuple[Attachment, ...]:
    """All its files, in the order of the answer."""
    return tuple(Attachment(file.artifact, file.role) for file in entry.files if file.role != "smaller")
