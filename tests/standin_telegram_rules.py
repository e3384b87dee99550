"""What Telegram accepts as text, entities, buttons and files."""

from __future__ import annotations

import re
from collections.abc import Mapping

from standin_telegram_model import (
    COMMAND,
    ENTITY_TYPES,
    JSON,
    MAX_CALLBACK_DATA,
    MAX_PHOTO,
    MAX_UPLOAD,
    MENTION,
    RefusedError,
    bad,
    found,
    utf16,
)

PICTURES = (b"\x89PNG", b"\xff\xd8", b"RIFF", b"GIF8")


def stored_text(params: JSON, name: str, marks: str, limit: int) -> tuple[str, list[JSON]]:
    """A text as Telegram stores it: control characters are spaces, mentions and commands outside code are found."""
    if params.get("parse_mode"):
        raise bad("can't parse entities: the stand-in knows no parse_mode")
    text = re.sub(r"[\x00-\x08\x0b-\x1f]", " ", str(params.get(name, ""))).strip()
    if utf16(text) > limit:
        raise bad("message is too long" if name == "text" else "message caption is too long")
    entities: list[JSON] = params.get(marks) or []
    for entity in entities:
        if entity["type"] not in ENTITY_TYPES:
            raise bad("can't parse MessageEntity: Unsupported type specified")
        if entity["offset"] < 0 or entity["length"] < 1 or entity["offset"] + entity["length"] > utf16(text):
            raise bad(f"entity beginning at UTF-16 offset {entity['offset']} ends after the end of the text")
    code = [(e["offset"], e["offset"] + e["length"]) for e in entities if e["type"] in ("code", "pre")]
    automatic = found(text, MENTION, "mention") + found(text, COMMAND, "bot_command")
    return text, entities + [a for a in automatic if not any(x <= a["offset"] < y for x, y in code)]


def checked_keyboard(markup: JSON | None) -> JSON | None:
    for button in (button for row in (markup or {}).get("inline_keyboard", ()) for button in row):
        if not button.get("text"):
            raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if not 1 <= len(button.get("callback_data", "x").encode()) <= MAX_CALLBACK_DATA:
            raise bad("BUTTON_DATA_INVALID")
        if "callback_data" not in button and "url" not in button:
            raise bad("BUTTON_TYPE_INVALID")
    return markup or None


def uploaded(
    value: object, files: Mapping[str, tuple[str, bytes]], sort: str = "document", limit: int = MAX_UPLOAD
) -> tuple[str, bytes]:
    """An upload sits in a field of its own name, or where `attach://` points. `limit`: bytes that the server takes."""
    name = str(value).removeprefix("attach://") if value else sort
    if name not in files:
        raise bad(f"there is no {sort} in the request")
    title, data = files[name]
    if sum(len(content) for _, content in files.values()) > limit:
        raise RefusedError(413, "Request Entity Too Large")
    if not data:
        raise bad("file must be non-empty")
    if sort == "photo" and len(data) > MAX_PHOTO:
        raise bad(f'file "{title}" of size {len(data)} bytes is too big for a photo')
    if sort == "photo" and not data.startswith(PICTURES):
        raise bad("IMAGE_PROCESS_FAILED")
    return title, data
