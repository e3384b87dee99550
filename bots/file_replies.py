"""What an answer says of its files that do not come with it, or do not come whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from frontdesk.bots.packing import LINK_LIFE
from frontdesk.bots.parcels import Parcel
from frontdesk.bots.replies import Code, Foreign, Line, Link, Span, duration, line
from frontdesk.queue.kinds import Attachment


def left_out(job_id: str, parcels: Sequence[Parcel]) -> list[Line]:
    """A line for each file that is missing, or comes in a smaller version: its name, its size, why, and how to come by
    the whole."""
    return [_line(job_id, parcel) for parcel in parcels if parcel.without or parcel.instead]


def _line(job_id: str, parcel: Parcel) -> Line:
    head: tuple[Span | str, ...] = (Code(parcel.name), f" ({size(parcel.size)}) ")
    kept = ("kept by this desk, whose admins get it with ", Code(f"frontdesk fetch {job_id}"), ".")
    if parcel.instead is not None and parcel.without is None:
        return _smaller(parcel, head, kept)
    match parcel.without:
        case "gone":
            return line(*head, "is no longer kept.")
        case "damaged":
            return line(*head, "was damaged where it was kept, and cannot be sent.")
        case "away":
            return line(*head, "could not be fetched just now. It is ", *kept)
    why = {"refused": "was not taken by this chat", "cut off": "could not be sent"}
    sentence = why.get(parcel.without or "", "is too large for this chat")
    if parcel.link is not None:
        return line(*head, f"{sentence}: ", *_download(parcel.link))
    return line(*head, f"{sentence}. It is ", *kept)


def _smaller(parcel: Parcel, head: Sequence[Span | str], kept: Sequence[Span | str]) -> Line:
    note = parcel.instead.note if parcel.instead else ""
    whole = (Code(parcel.whole), f" ({size(parcel.attachment.artifact.size)}): ", Foreign(note), ". The whole")
    rest = (": ", *_download(parcel.link)) if parcel.link is not None else (" is ", *kept)
    return line(*head, "is a smaller version of ", *whole, *rest)


def _download(link: str) -> tuple[Span | str, ...]:
    return Link("download it", link), f" (for {duration(LINK_LIFE)})."


def listed(attachments: Iterable[Attachment]) -> Line:
    """Names and sizes, where the files themselves are not shown."""
    spans: list[Span | str] = []
    for attachment in attachments:
        spans += [", " if spans else "Files: ", Code(attachment.artifact.name), f" ({size(attachment.artifact.size)})"]
    return line(*spans)


def size(count: int) -> str:
    """ "800 B", "12 kB", "3.4 MB", in thousands."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1e3:.0f} kB" if count < 999_500 else f"{count / 1e6:,.1f} MB"
