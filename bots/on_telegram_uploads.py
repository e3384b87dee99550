"""Messages with files in them: which they are, of an answer, and how they are sent. Files on the disk are streamed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from telegram import Bot, InputFile, InputMediaAnimation, InputMediaDocument, InputMediaPhoto, Message
from telegram.error import NetworkError

from frontdesk.bots.file_replies import left_out
from frontdesk.bots.on_telegram_render import MAX_CAPTION, MAX_TEXT, Document, Media, Rendered, render, render_progress
from frontdesk.bots.parcels import Parcel, Room, fitted
from frontdesk.bots.parsing import clean
from frontdesk.bots.replies import Reply, as_text
from frontdesk.queue.errors import FrontdeskError

NARROW: Final = 8_000_000  # bytes of a file that most proxies let through
MAX_PHOTO: Final = 10_000_000  # bytes
MAX_GROUP: Final = 10
INLINE: Final[dict[str, Literal["animation", "photo"]]] = {
    "image/gif": "animation",
    "video/mp4": "animation",
    "image/jpeg": "photo",
    "image/png": "photo",
    "image/webp": "photo",
}
UPLOADING: Final[dict[str, Any]] = {"read_timeout": 120.0, "write_timeout": 120.0}  # seconds
TOO_LARGE = re.compile(r"(?:request entity|content|payload) too large", re.IGNORECASE)


class TooLargeError(FrontdeskError):
    """Telegram, or what stands before it, takes no request of that size."""


@dataclass(frozen=True)
class Laden:
    """An answer with its files: the message that it becomes, and the files that follow it; `parcels` are those of the
    answer's own that are among them, and `whole` all that it has, sent or not."""

    head: Rendered
    documents: tuple[Document, ...]
    parcels: tuple[Parcel, ...]
    whole: tuple[Parcel, ...] = ()


def upload_room(limit: int) -> Room:
    """What one answer may hold, with files of at most `limit` bytes: those that follow go in one request, which the
    limit holds for as well. One place in their group is kept for a text that is too long."""
    return Room(limit, limit, MAX_GROUP)


def laden(reply: Reply, job_id: str, room: Room, *, inline: bool = True) -> Laden:
    """The first preview, or else the first still, stands in the message itself, if it may (`inline`) and Telegram shows
    its sort; the other files follow. What stays behind is told of in the words."""
    most = room.count if inline and _picture(fitted(reply.parcels, room)) else room.count - 1
    parcels = fitted(reply.parcels, replace(room, count=most))
    picture = _picture(parcels) if inline else None
    full = Reply((*reply.blocks, *left_out(job_id, parcels)), reply.buttons)
    following = tuple(parcel for parcel in parcels if parcel.without is None and parcel is not picture)
    documents = [_document(parcel) for parcel in following]
    head = render(full, MAX_CAPTION if picture else MAX_TEXT)
    if head.document is not None and head.lost:
        head = replace(head, document=replace(head.document, data=clean(as_text(full)).encode()))
    if picture is not None:
        documents = [head.document, *documents] if head.document else documents
        head = replace(head, document=None, media=Media(INLINE[picture.media_type], _document(picture)))
    return Laden(head, tuple(documents), following, parcels)


def news(reply: Reply) -> Rendered:
    """News of a job that runs: with a picture of what there is so far, or below the one that is there."""
    if reply.picture_stays:
        return replace(render_progress(reply, MAX_CAPTION), caption=True)
    if (picture := _picture(reply.parcels)) is None:
        return render_progress(reply)
    media = Media(INLINE[picture.media_type], _document(picture))
    return replace(render_progress(reply, MAX_CAPTION), media=media)


def _picture(parcels: Sequence[Parcel]) -> Parcel | None:
    for role in ("preview", "still"):
        for parcel in parcels:
            sort = INLINE.get(parcel.media_type)
            fits = parcel.without is None and not (sort == "photo" and parcel.size > MAX_PHOTO)
            if parcel.attachment.role == role and sort and fits:
                return parcel
    return None


def _document(parcel: Parcel) -> Document:
    return Document(parcel.name, parcel.path or b"")


def is_too_large(error: NetworkError) -> bool:
    return TOO_LARGE.search(error.message) is not None


async def send_file(bot: Bot, chat: int, drawn: Rendered, **where: Any) -> Message:
    """Send a message with a picture or a document. `where`: the thread, and what it answers."""
    about = {"caption": drawn.text, "caption_entities": drawn.entities, "reply_markup": drawn.keyboard, **where}
    with opened(_file_of(drawn)) as file:
        if drawn.media is None:
            return await bot.send_document(chat, file, disable_content_type_detection=True, **about, **UPLOADING)
        if drawn.media.sort == "animation":
            return await bot.send_animation(chat, file, **about, **UPLOADING)
        return await bot.send_photo(chat, file, **about, **UPLOADING)


async def edit_file(bot: Bot, chat: int, message: int, drawn: Rendered) -> None:
    """Turn a message, of words or with a file, into one with this file."""
    about: dict[str, Any] = {"caption": drawn.text, "caption_entities": drawn.entities}
    media: InputMediaDocument | InputMediaAnimation | InputMediaPhoto
    with opened(_file_of(drawn), attach=True) as file:
        if drawn.media is None:
            media = InputMediaDocument(file, disable_content_type_detection=True, **about)
        elif drawn.media.sort == "animation":
            media = InputMediaAnimation(file, **about)
        else:
            media = InputMediaPhoto(file, **about)
        await bot.edit_message_media(media, chat, message, reply_markup=drawn.keyboard, **UPLOADING)


async def send_group(bot: Bot, chat: int, documents: Sequence[Document], **where: Any) -> None:
    """Send files to be downloaded, several as one group."""
    with ExitStack() as stack:
        if len(documents) == 1:
            file = stack.enter_context(opened(documents[0]))
            await bot.send_document(chat, file, disable_content_type_detection=True, **where, **UPLOADING)
            return
        files = [stack.enter_context(opened(document, attach=True)) for document in documents]
        group = [InputMediaDocument(file, disable_content_type_detection=True) for file in files]
        await bot.send_media_group(chat, group, **where, **UPLOADING)


def album(reply: Reply) -> list[Document]:
    """The pictures that Telegram shows side by side."""
    return [
        _document(parcel)
        for parcel in reply.parcels
        if parcel.attachment.role == "still" and INLINE.get(parcel.media_type) == "photo" and parcel.size <= MAX_PHOTO
    ]


async def send_album(bot: Bot, chat: int, pictures: Sequence[Document], **where: Any) -> None:
    """Send two to ten pictures as one group."""
    with ExitStack() as stack:
        files = [stack.enter_context(opened(picture, attach=True)) for picture in pictures[:MAX_GROUP]]
        await bot.send_media_group(chat, [InputMediaPhoto(file) for file in files], **where, **UPLOADING)


def _file_of(drawn: Rendered) -> Document:
    document = drawn.media.document if drawn.media else drawn.document
    if document is None:
        raise ValueError("a message without a file")
    return document


@contextmanager
def opened(document: Document, *, attach: bool = False) -> Iterator[InputFile]:
    """The library's file for one attempt to send it."""
    if isinstance(document.data, bytes):
        yield InputFile(document.data, document.name, attach=attach)
        return
    with document.data.open("rb") as file:
        yield InputFile(file, document.name, attach=attach, read_file_handle=False)
