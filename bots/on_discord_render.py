"""Neutral replies as Discord shows them: content, embeds, files and buttons. Pure, but for the buttons' callback."""

from __future__ import annotations

import io
import math
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias, cast

import discord

from frontdesk.bots.file_replies import left_out
from frontdesk.bots.parcels import Parcel, Room, fitted
from frontdesk.bots.parsing import clean
from frontdesk.bots.replies import (
    Button,
    Code,
    Line,
    Link,
    Moment,
    Quote,
    Reply,
    Rows,
    Span,
    Strong,
    Table,
    as_text,
    rows_as_text,
    table_as_text,
)

# Discord's limits are 2000, 4096 and 6000 characters; what is left over is for a mention and an ellipsis.
CONTENT = 1900
QUOTE = 3500
PREVIEW = 1000
EMBEDS = 5500
FIELD_NAME, FIELD_VALUE, FIELDS = 256, 1024, 25
LEFT_OUT = 4000
PICTURES = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})  # what an embed can show
SHORT_VALUE = 40  # characters up to which values stand side by side
LABEL = 80

# Discord takes a backslash before any of these as "the character itself". A colon matters in links, emoji and
# timestamps; the second pattern holds what means something at the start of a line only.
MARKS = re.compile(r"[\\*_~|`<\[\]]|:(?=\S)")
LINE_STARTS = re.compile(r"(?m)^([^\S\n]*)(#{1,3}|-#|[-+]|>{1,3}|\d+[.)])(?=\s|$)")
BUTTON_ID = r"frontdesk:(?P<action>[a-z]+):(?P<target>[0-9a-z_]{1,32})(?::(?P<detail>[A-Za-z0-9_:.-]{1,40}))?"

AnyInteraction: TypeAlias = discord.Interaction[Any]


@dataclass(frozen=True)
class Drawn:
    """What one message is made of. Files are bytes by name, and uploads lie on the disk, since discord.py uses each of
    its own files up. `stamp` is the same for the same answer, whatever of it fits. `stays`: of an edited message the
    embeds and files stay as they are."""

    content: str
    embeds: tuple[discord.Embed, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()
    buttons: tuple[Button, ...] = ()
    uploads: tuple[Parcel, ...] = ()
    stamp: int = 0
    stays: bool = False


def escaped(text: str) -> str:
    """Text as it is, whatever it holds: no markup, no link, no emoji, no timestamp. Pings are refused when sending."""
    bare = MARKS.sub(lambda mark: "\\" + mark[0], clean(text))
    return LINE_STARTS.sub(lambda start: start[1] + _escaped_start(start[2]), bare)


def _escaped_start(mark: str) -> str:
    """`1.` is told by its dot, everything else by its first character."""
    return mark[:-1] + "\\" + mark[-1] if mark[0].isdigit() else "\\" + mark


def draw(reply: Reply, *, final: bool = True, room: int = EMBEDS) -> Drawn:
    """Lines become the content, quotes and rows embeds of `room` characters. What is too long becomes a file with a
    preview.

    Without `final` the reply is soon replaced: no file then, and a long quote shows its end.
    """
    lines = [_line(block) for block in reply.blocks if isinstance(block, Line)]
    content, embeds, files = "\n".join(lines), list[discord.Embed](), list[tuple[str, bytes]]()
    if len(content) > CONTENT:
        files.append(("reply.txt", as_text(reply).encode()))
        content = cut(content, CONTENT)
    for block in reply.blocks:
        if isinstance(block, Quote):
            embed, whole = _quote(block, final=final, room=room - sum(map(len, embeds)))
            embeds.append(embed)
            files += [(block.name, block.text.encode())] if final and not whole else []
        elif isinstance(block, Table):
            embeds.append(_table(block, room=min(QUOTE, room - sum(map(len, embeds)))))
        elif isinstance(block, Rows):
            embeds = embeds or [discord.Embed()]
            if not _fill(embeds[-1], block, room=room - sum(map(len, embeds))):
                files.append(("figures.txt", rows_as_text(block).encode()))
    shas = [parcel.attachment.artifact.sha256 for parcel in reply.parcels]
    stamp = zlib.crc32(repr((content, [embed.to_dict() for embed in embeds], files, shas)).encode())
    return Drawn(content, tuple(embeds), tuple(files), reply.buttons, stamp=stamp)


def draw_news(reply: Reply) -> Drawn:
    """News of a job that runs: with a picture of what there is so far, or over the one that is there. What is quoted
    stands still then."""
    drawn = draw(reply, final=False)
    if reply.picture_stays:
        return replace(drawn, stays=True)
    return _pictured(replace(drawn, uploads=reply.parcels)) if reply.parcels else drawn


def draw_parcels(reply: Reply, job_id: str, room: Room, *, inline: bool = True) -> Drawn:
    """The reply with those of its files that `room` takes beside its texts. The first picture stands in an embed, if it
    may (`inline`), and a last embed tells of the files that stayed behind."""
    plain = drawn = draw(reply)
    parcels, told = reply.parcels, ""
    for _ in range(3):  # what is told takes room from the texts, which may become files
        texts = [len(data) for _, data in drawn.files]
        parcels = fitted(reply.parcels, Room(room.file, room.request - sum(texts), room.count - len(texts)))
        told = _left_out(job_id, parcels)
        drawn = draw(reply, room=EMBEDS - len(told)) if told else plain
    uploads = tuple(parcel for parcel in parcels if parcel.without is None)
    drawn = replace(drawn, uploads=uploads, stamp=plain.stamp)
    drawn = _pictured(drawn) if inline else drawn
    return replace(drawn, embeds=(*drawn.embeds, discord.Embed(description=told))) if told else drawn


def _pictured(drawn: Drawn) -> Drawn:
    """With its first picture in the last embed."""
    if (shown := _picture(drawn.uploads)) is None:
        return drawn
    embeds = list(drawn.embeds) or [discord.Embed()]
    embeds[-1].set_image(url=f"attachment://{shown.name}")
    return replace(drawn, embeds=tuple(embeds))


def _picture(uploads: Sequence[Parcel]) -> Parcel | None:
    """What an embed shows: the first preview, else the first still."""
    for role in ("preview", "still"):
        for upload in uploads:
            if upload.attachment.role == role and upload.media_type in PICTURES:
                return upload
    return None


def _left_out(job_id: str, parcels: Sequence[Parcel]) -> str:
    """A line for each file that is missing or smaller. Addresses are long: those that do not fit give way to words."""
    told = left_out(job_id, parcels)
    lines = [_line(each) for each in left_out(job_id, [replace(parcel, link=None) for parcel in parcels])]
    while len("\n".join(lines)) > LEFT_OUT - 40:
        lines.pop()
    more = len(told) - len(lines)
    for number, each in enumerate(_line(each) for each in told[: len(lines)]):
        if len("\n".join(lines)) - len(lines[number]) + len(each) <= LEFT_OUT - 40:
            lines[number] = each
    return "\n".join([*lines, f"And {more} more file{'s' * (more > 1)}."] if more else lines)


def _line(block: Line) -> str:
    return "".join(_span(span) for span in block.spans)


def _span(span: Span) -> str:
    if isinstance(span, Moment):
        return f"<t:{math.ceil(span.at)}:R>"
    if isinstance(span, Link):
        address = span.url.replace("(", "%28").replace(")", "%29").replace(">", "%3E").replace(" ", "%20")
        return f"[{escaped(span.text)}](<{address}>)"
    if isinstance(span, Strong):
        words = " ".join(span.text.split())
        return f"**{escaped(words)}**" if words else ""
    if isinstance(span, Code) and span.text.strip() and "`" not in span.text:
        return f"`{' '.join(span.text.split())}`"
    # `clean` strips a text's ends, which here are the spaces between two spans.
    lead, trail = span.text[: len(span.text) - len(span.text.lstrip())], span.text[len(span.text.rstrip()) :]
    return f"{lead}{escaped(span.text)}{trail}" if span.text.strip() else span.text


def _quote(block: Quote, *, final: bool, room: int) -> tuple[discord.Embed, bool]:
    """The embed, and whether all of the text is in it."""
    text = escaped(block.text) or "(empty)"
    if len(text) <= min(QUOTE, room):
        return discord.Embed(description=text), True
    most = max(2, min(PREVIEW, room))
    # An escaped text is at most twice as long as it was.
    shown = cut(text, most) if final else "…" + escaped(block.text[-(most // 2) :])
    return discord.Embed(description=shown), False


def _table(block: Table, room: int) -> discord.Embed:
    """As a code block, in which nothing is markup but its own end; rows for which there is no room are counted."""
    title = block.title[:FIELD_NAME]
    text = table_as_text(block, room - len(title) - len("```\n\n```")).replace("`", "'")
    return discord.Embed(title=escaped(title), description=f"```\n{text}\n```")


def _fill(embed: discord.Embed, block: Rows, room: int) -> bool:
    """Put the rows in as fields; False if some of it did not fit, and then nothing is."""
    rows = [(escaped(label) or "·", escaped(value) or "·") for label, value in block.rows]
    fits = all(len(label) <= FIELD_NAME and len(value) <= FIELD_VALUE for label, value in rows)
    if not fits or len(rows) > FIELDS - len(embed.fields) or sum(len(a) + len(b) for a, b in rows) > room:
        return False
    for label, value in rows:
        embed.add_field(name=label, value=value, inline=len(value) <= SHORT_VALUE)
    return True


def cut(text: str, most: int) -> str:
    """The beginning of an escaped text, not in the middle of an escape, with an ellipsis."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    if (len(kept) - len(kept.rstrip("\\"))) % 2:
        kept = kept[:-1]
    return kept + "…"


class Pressed(Protocol):
    """The client behind a button."""

    async def pressed(self, interaction: AnyInteraction, action: str, target: str, detail: str) -> None: ...


class ActionButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=BUTTON_ID):
    """A button that says all in its id, so that it works after a restart and is kept nowhere."""

    def __init__(self, data: str, label: str = "") -> None:
        super().__init__(discord.ui.Button(label=label[:LABEL] or None, custom_id=f"frontdesk:{data}"))
        self._data = data

    @classmethod
    async def from_custom_id(
        cls, interaction: AnyInteraction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> ActionButton:
        return cls(match[0].removeprefix("frontdesk:"))

    async def callback(self, interaction: AnyInteraction) -> None:
        action, target, detail = (*self._data.split(":", 2), "")[:3]
        await cast(Pressed, interaction.client).pressed(interaction, action, target, detail)


def view(buttons: Iterable[Button]) -> discord.ui.View | None:
    """The row of buttons, or None for none. Needs a running loop."""
    row = [ActionButton(button.data, button.label) for button in buttons]
    if not row:
        return None
    shown = discord.ui.View(timeout=None)
    for button in row[:25]:
        shown.add_item(button)
    return shown


def attachments(drawn: Drawn) -> list[discord.File]:
    """Fresh files for one attempt to send."""
    texts = [discord.File(io.BytesIO(data), filename=name) for name, data in drawn.files]
    return texts + [discord.File(upload.path, filename=upload.name) for upload in drawn.uploads if upload.path]
