"""What prompts mean: things, how many, how they look, where they stand, and which words were not understood."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_families import FAMILIES

from frontdesk.worker.prompt_grammar import Grammar
from frontdesk.worker.scene import MAX_ITEMS, MAX_OBJECTS, Item, Relation, Understood

GRAMMAR = Grammar(FAMILIES)


def understood(prompt: str) -> Understood:
    return GRAMMAR.understand(prompt)


def hexed(rgb: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in rgb)


def told_item(item: Item) -> str:
    look = item.look
    words = [f"{item.count} {item.family}"]
    words += [f"x{item.scale:g}"] if item.scale != 1 else []
    words += [hexed(look.colour)] if look.colour else []
    words += [f"and {hexed(look.accent)}"] if look.accent else []
    words += [look.finish] if look.finish else []
    words += [f"{name} {by:g}" for name, by in look.proportions.items() if by != 1]
    words += [f"{item.relation.kind} {item.relation.other}"] if item.relation else []
    return " ".join(words)


def told(prompt: str) -> str:
    """The scene in one line; the words that were not understood stand behind a bar."""
    found = understood(prompt)
    text = "; ".join(map(told_item, found.scene.items))
    return f"{text} | {', '.join(found.scene.unknown)}" if found.scene.unknown else text


