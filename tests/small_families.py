"""A few families of boxes and cylinders, for the tests of prompts and scenes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from manifold3d import Manifold

from frontdesk.worker.solids import Family, Look, Part

GREY = (0.5, 0.5, 0.5)
Size = tuple[float, float, float]


def block(size: Size, at: Size = (0, 0, 0)) -> Manifold:
    """A box that stands with the middle of its bottom on `at`."""
    return Manifold.cube(size, center=True).translate((at[0], at[1] + size[1] / 2, at[2]))


def round_block(height: float, radius: float, at: Size = (0, 0, 0), top: float | None = None) -> Manifold:
    """An upright cylinder or cone of 24 sides."""
    upright = Manifold.cylinder(height, radius, radius if top is None else top, 24)
    return upright.rotate((-90, 0, 0)).translate(at)


def built(*solids: Manifold) -> Callable[[Look], list[Part]]:
    """Stretched by the look's proportions."""

    def build(look: Look) -> list[Part]:
        by = tuple(look.proportions.get(name, 1.0) for name in ("wide", "tall", "deep"))
        return [Part(solid.scale(by), look.colour or GREY, "matte", f"part {n}") for n, solid in enumerate(solids)]

    return build


def _legs(x: float, z: float, height: float) -> list[Manifold]:
    return [block((0.05, height, 0.05), (sx * x, 0, sz * z)) for sx in (-1, 1) for sz in (-1, 1)]


def _chair() -> list[Manifold]:
    return [
        block((0.45, 0.05, 0.45), (0, 0.42, 0)),
        block((0.45, 0.45, 0.04), (0, 0.45, -0.2)),
        *_legs(0.19, 0.19, 0.44),
    ]


def _table() -> list[Manifold]:
    return [block((1.4, 0.05, 0.8), (0, 0.7, 0)), *_legs(0.65, 0.35, 0.72)]


def _bowl() -> list[Manifold]:
    return [round_block(0.1, 0.06, top=0.12) - round_block(0.1, 0.05, (0, 0.015, 0), top=0.11)]


BUILT: tuple[tuple[str, tuple[str, ...], Size, list[Manifold], bool], ...] = (
    ("chair", ("chair",), (0.45, 0.9, 0.45), _chair(), False),
    ("table", ("table", "dining table"), (1.4, 0.75, 0.8), _table(), True),
    (
        "round table",
        ("round table",),
        (1.1, 0.75, 1.1),
        [round_block(0.05, 0.55, (0, 0.7, 0)), round_block(0.72, 0.06), round_block(0.03, 0.3)],
        True,
    ),
    ("cat", ("cat", "kitten"), (0.2, 0.3, 0.45), [block((0.2, 0.3, 0.45))], False),
    ("lamp", ("lamp", "table lamp", "light"), (0.2, 0.5, 0.2), [round_block(0.5, 0.1, top=0.03)], False),
    ("bowl", ("bowl",), (0.24, 0.1, 0.24), _bowl(), False),
    ("fruit", ("orange", "apple"), (0.08, 0.08, 0.08), [Manifold.sphere(0.04, 16).translate((0, 0.04, 0))], False),
    ("rug", ("rug", "carpet"), (2.0, 0.02, 1.4), [block((2.0, 0.02, 1.4))], True),
    ("stone", ("stone", "rock"), (0.9, 0.5, 0.7), [block((0.9, 0.5, 0.7))], False),
    ("book", ("book",), (0.15, 0.03, 0.2), [block((0.15, 0.03, 0.2))], True),
    ("house", ("house", "home"), (8, 5, 6), [block((8, 3, 6)), block((8, 2, 3), (0, 3, 0))], False),
    ("tree", ("tree", "oak"), (3, 5, 3), [round_block(2, 0.2), round_block(3, 1.5, (0, 2, 0), top=0.1)], False),
    ("dog", ("dog", "puppy"), (0.3, 0.7, 0.9), [block((0.3, 0.7, 0.9))], False),
    (
        "sofa",
        ("sofa", "couch"),
        (1.9, 0.85, 0.9),
        [block((1.9, 0.4, 0.9)), block((1.9, 0.45, 0.2), (0, 0.4, -0.35))],
        False,
    ),
    ("knife", ("knife",), (0.02, 0.014, 0.235), [block((0.02, 0.014, 0.235))], False),
    ("wine glass", ("wine glass", "glass"), (0.08, 0.2, 0.08), [round_block(0.2, 0.04)], False),
    ("sheep", ("sheep", "lamb"), (0.6, 0.9, 1.2), [block((0.6, 0.9, 1.2))], False),
    ("hot-air balloon", ("hot-air balloon",), (9, 16, 9), [round_block(16, 4.5)], False),
    ("star", ("star",), (0.9, 0.9, 0.2), [block((0.9, 0.9, 0.2))], False),
)

FAMILIES: Mapping[str, Family] = {
    name: Family(name, words, size, built(*solids), sits_on) for name, words, size, solids, sits_on in BUILT
}
