"""Draws neutral replies as Telegram messages: text, entities and buttons. Pure.

Nothing here uses a parse mode, so no text can become markup. Telegram still marks up @names and /commands by itself,
wherever a text has them outside of code, and a @name notifies its owner: foreign text gets an invisible word joiner
there. Only ./paths and ~/paths stay as they are, so that they can be copied. Entities count in UTF-16 units.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Final, Literal

from telegram import ForceReply, InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity, User
from telegram.constants import MessageEntityDateTimeFormats

from frontdesk.bots.forms import Choice, Question
from frontdesk.bots.parsing import clean
from frontdesk.bots.replies import (
    Block,
    Button,
    Code,
    Foreign,
    Line,
    Link,
    Moment,
    Plain,
    Quote,
    Reply,
    Rows,
    Span,
    Strong,
    Table,
    as_text,
    table_as_text,
)

MAX_TEXT: Final = 4096  # UTF-16 units, as the next two
MAX_CAPTION: Final = 1024
MAX_NOTICE: Final = 200
MAX_HINT: Final = 64
PREVIEW: Final = 500
BUTTONS_A_ROW: Final = 2
SHORT_LABEL, BUTTONS_MOST = 2, 8  # characters of labels of which so many stand in a row
WORD_JOINER: Final = "\u2060"
FORM_ACTION: Final = "form"

# What Telegram's own matchers find, and a little more: a name after @ that no word runs into, a command that is no part
# of a path or an address, and a last @ or / that the next span could complete.
LIVE = re.compile(r"(?<![A-Za-z0-9_])@(?=[A-Za-z0-9_]|\Z)|(?<![\w/<>.~])/(?=[A-Za-z0-9_]{1,64}(?![\w/<>])|\Z)")
OWN_COMMAND = re.compile(r"/[a-z0-9_]{1,32}")


@dataclass(frozen=True)
class Document:
    """A file: its bytes, or where it lies."""

    name: str
    data: bytes | Path


@dataclass(frozen=True)
class Media:
    """A picture that is shown in the message."""

    sort: Literal["animation", "photo"]
    document: Document


@dataclass(frozen=True)
class Rendered:
    """A message as Telegram takes it. With a document or media, `text` is its caption. `lost`: more than a quote of it
    did not fit. `caption`: it goes below the picture that the message has."""

    text: str
    entities: tuple[MessageEntity, ...] = ()
    keyboard: InlineKeyboardMarkup | None = None
    force_reply: ForceReply | None = None
    document: Document | None = None
    media: Media | None = None
    lost: bool = False
    caption: bool = False


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def defused(text: str) -> str:
    """Foreign text as it may stand in a message: no control characters, no live @name or /command."""
    return LIVE.sub(lambda match: match[0] + WORD_JOINER, clean(text))


def render(reply: Reply, limit: int = MAX_TEXT) -> Rendered:
    """The whole reply; what is longer than `limit` becomes a document with a preview in its caption."""
    keyboard = _keyboard(reply.buttons)
    writing = _Writing()
    writing.blocks(reply.blocks)
    if utf16(writing.text) <= limit:
        return writing.rendered(keyboard)
    quotes = [block for block in reply.blocks if isinstance(block, Quote)]
    longest = max(quotes, key=lambda quote: len(quote.text), default=Quote(as_text(reply)))
    short = [replace(b, text=cut(clean(b.text), PREVIEW)) if isinstance(b, Quote) else b for b in reply.blocks]
    caption = _Writing()
    caption.blocks(short)
    drawn = _shortened(caption.rendered(keyboard), MAX_CAPTION)
    document = Document(longest.name, clean(longest.text).encode())
    return replace(drawn, document=document, lost=utf16(caption.text.rstrip()) > MAX_CAPTION)


def render_progress(reply: Reply, limit: int = MAX_TEXT) -> Rendered:
    """A reply that may lose text: of a long quote the end stays, which is what is new."""
    around = _Writing()
    around.blocks([replace(block, text="") if isinstance(block, Quote) else block for block in reply.blocks])
    room = max(2, limit - utf16(around.text) - 8)
    writing = _Writing()
    writing.blocks([
        replace(block, text=_end(defused(block.text), room)) if isinstance(block, Quote) else block
        for block in reply.blocks
    ])  # fmt: skip
    return _shortened(writing.rendered(_keyboard(reply.buttons)), limit)


def render_question(form_id: str, asked: Question, *, force: bool) -> Rendered:
    """A page of a form. `force`: open the reply field, which a group needs for the bot to see the answer; Telegram
    shows no buttons beside it."""
    if force and asked.typed and len(asked.choices) == 1:  # nothing to press but Cancel
        hint = cut(asked.hint, MAX_HINT)
        reply = Reply((*asked.reply.blocks, Line((Plain("Reply to this message, or send /cancel."),))))
        return replace(render(reply), force_reply=ForceReply(selective=True, input_field_placeholder=hint))
    return replace(render(asked.reply), keyboard=_form_keyboard(form_id, asked.choices))


def for_you(drawn: Rendered, user: int) -> Rendered:
    """The message with a mention of the person in front, so that they are notified."""
    head = "For you:\n"
    if user < 0:  # who wrote as a chat cannot be mentioned
        return drawn
    mention = MessageEntity(MessageEntity.TEXT_MENTION, 4, 3, user=User(user, "you", is_bot=False))
    moved = MessageEntity.shift_entities(utf16(head), drawn.entities)
    limit = MAX_CAPTION if drawn.document or drawn.media else MAX_TEXT
    return _shortened(replace(drawn, text=head + drawn.text, entities=(mention, *moved)), limit)


def notice(reply: Reply) -> str:
    """A reply as the small text over a chat that answers a pressed button."""
    return cut(clean(as_text(reply)), MAX_NOTICE)


def cut(text: str, units: int) -> str:
    """At most `units` UTF-16 units, never half a character."""
    if utf16(text) <= units:
        return text
    return text.encode("utf-16-le")[: 2 * (units - 1)].decode("utf-16-le", "ignore").rstrip() + "…"


def _end(text: str, units: int) -> str:
    if utf16(text) <= units:
        return text
    return "…" + text.encode("utf-16-le")[-2 * (units - 1) :].decode("utf-16-le", "ignore").lstrip()


class _Writing:
    """A text with its entities, as it grows."""

    def __init__(self) -> None:
        self.text = ""
        self.entities: list[MessageEntity] = []

    def blocks(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            if self.text:
                self.text += "\n"
            if isinstance(block, Line):
                for span in block.spans:
                    self._span(span)
            elif isinstance(block, Quote):
                self._marked(defused(block.text), MessageEntity.BLOCKQUOTE)
            elif isinstance(block, Table):
                self._marked(block.title, MessageEntity.BOLD)
                self.text += "\n"
                self._marked(clean(table_as_text(block)), MessageEntity.PRE)
            else:
                self._rows(block)

    def rendered(self, keyboard: InlineKeyboardMarkup | None) -> Rendered:
        """Telegram trims a text's end: so do we, before it moves an entity out of the text."""
        return _shortened(Rendered(self.text, tuple(self.entities), keyboard), utf16(self.text.rstrip()))

    def _rows(self, block: Rows) -> None:
        for number, (label, value) in enumerate(block.rows):
            self.text += f"{label}: " if number == 0 else f"\n{label}: "
            self.text += defused(value)

    def _span(self, span: Span) -> None:
        match span:
            case Plain(text):
                self.text += text
            case Foreign(text):
                self.text += defused(text)
            case Strong(text):
                self._marked(defused(text), MessageEntity.BOLD)
            case Code(text) if OWN_COMMAND.fullmatch(text):
                self.text += text  # Telegram makes it a link that sends the command
            case Code(text):
                self._marked(clean(text), MessageEntity.CODE)
            case Link(text, url):
                self._marked(text, MessageEntity.TEXT_LINK, url=url)
            case Moment(at, words):
                self._marked(
                    words,
                    MessageEntity.DATE_TIME,
                    unix_time=int(at),
                    date_time_format=MessageEntityDateTimeFormats.RELATIVE,
                )

    def _marked(self, text: str, kind: str, **details: object) -> None:
        if text:
            self.entities.append(_entity(kind, utf16(self.text), utf16(text), **details))
            self.text += text


def _entity(kind: str, offset: int, length: int, **details: object) -> MessageEntity:
    return MessageEntity(kind, offset, length, **details)  # type: ignore[arg-type]  # the details of one kind


def _shortened(drawn: Rendered, units: int) -> Rendered:
    """Cut to a length, with the entities."""
    text = cut(drawn.text, units) if utf16(drawn.text.rstrip()) > units else drawn.text.rstrip()
    size = utf16(text)
    kept = []
    for entity in drawn.entities:
        if entity.offset < size:
            length = min(entity.length, size - entity.offset)
            kept.append(entity if length == entity.length else _entity(entity.type, entity.offset, length))
    return replace(drawn, text=text, entities=tuple(kept))


def _keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """Two in a row, but short labels that follow each other (a page's numbers) all in one."""
    numbers = list(takewhile(lambda button: len(button.label) <= SHORT_LABEL, buttons))[:BUTTONS_MOST]
    keys = [InlineKeyboardButton(b.label, callback_data=b.data) for b in buttons]
    if len(numbers) < BUTTONS_A_ROW + 1:
        return _rows_of(keys) if keys else None
    first, rest = keys[: len(numbers)], _rows_of(keys[len(numbers) :])
    return InlineKeyboardMarkup([first, *rest.inline_keyboard])


def _form_keyboard(form_id: str, choices: Sequence[Choice]) -> InlineKeyboardMarkup:
    return _rows_of([InlineKeyboardButton(c.label, callback_data=f"{FORM_ACTION}:{form_id}:{c.act}") for c in choices])


def _rows_of(keys: Sequence[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([keys[i : i + BUTTONS_A_ROW] for i in range(0, len(keys), BUTTONS_A_ROW)])
