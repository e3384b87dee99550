"""How large a PNG or JPEG picture says it is, by its first bytes alone: nothing is unpacked."""

from __future__ import annotations

import struct

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
HEAD = 65_536  # bytes that are enough for most: a JPEG may have its camera's notes before its size
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers that tell a JPEG's size
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length


def is_picture(head: bytes) -> bool:
    """Whether a file begins as a PNG or a JPEG does."""
    return head.startswith((PNG, JPEG))


def picture_size(head: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, or None where these bytes do not tell."""
    if head.startswith(PNG):
        return _png(head)
    return _jpeg(head) if head.startswith(JPEG) else None


def _png(head: bytes) -> tuple[int, int] | None:
    if len(head) < 24 or head[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def _jpeg(head: bytes) -> tuple[int, int] | None:
    """ITU T.81, B.1 and B.2.2: segments, each a marker and its length, until one that begins a frame."""
    place = 2
    while place + 9 <= len(head) and head[place] == 0xFF:
        marker = head[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker in ALONE:
            place += 2
        elif marker in FRAMES:
            height, width = struct.unpack(">HH", head[place + 5 : place + 9])
            return width, height
        else:
            place += 2 + max(2, struct.unpack(">H", head[place + 2 : place + 4])[0])
    return None
