"""What "with" and "and" leave open: who is on whom is told from their sizes."""

from __future__ import annotations

from typing import Literal

from frontdesk.worker.scene import STEMMED, WORN
from frontdesk.worker.solids import Family

CONTAINERS = frozenset({"bowl", "basket", "vase", "pot", "bucket", "cup", "mug", "pan", "cart", "barrel", "wagon"})
VASES = frozenset({"vase", "jug"})
AROUND = 3  # so many guests of a host stand around it


def kind_of_company(guest: Family, count: int, host: Family) -> Literal["on", "inside", "around", "beside"]:
    """A lamp is on its table, four chairs are around it; a bowl holds apples, a house has a tree beside it."""
    words = {word for name in guest.words for word in name.split()}
    if words & WORN:
        return "on"
    if words & STEMMED and VASES & set(host.words):
        return "inside"  # higher than what they stand in
    if is_smaller(guest, host):
        if host.sits_on:
            return "on"
        if CONTAINERS & set(host.words):
            return "inside"
    return "around" if count >= AROUND else "beside"


def is_smaller(guest: Family, host: Family) -> bool:
    """Whether it looks right on the other: half its volume at most, no longer, and no higher."""
    (x, y, z), (host_x, host_y, host_z) = guest.size, host.size
    return 2 * x * y * z <= host_x * host_y * host_z and y <= host_y and max(x, z) <= max(host_x, host_z)
