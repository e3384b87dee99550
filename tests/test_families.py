"""The modeller's families: every one is a solid thing of a real size that stands on the ground, in every fineness."""

from __future__ import annotations

from time import process_time
from typing import NamedTuple

import numpy as np
import pytest
import trimesh
from manifold3d import Error
from touching import loose

from frontdesk.worker.families import FAMILIES
from frontdesk.worker.solids import SEGMENTS, Detail, Family, Look, Part


class Thing(NamedTuple):
    family: Family
    parts: list[Part]
    seconds: float


@pytest.fixture(scope="module", params=[(name, detail) for name in FAMILIES for detail in SEGMENTS], ids=" ".join)
def thing(request: pytest.FixtureRequest) -> Thing:
    """Each family in each fineness, made once for all rules."""
    name, detail = request.param
    started = process_time()
    parts = FAMILIES[name].build(Look(detail=detail))
    return Thing(FAMILIES[name], parts, process_time() - started)


def test_there_are_many_families() -> None:
    assert len(FAMILIES) >= 44


def test_every_part_is_a_closed_solid(thing: Thing) -> None:
    """No hole, no loose edge, nothing inside out: it can be printed, joined and cut."""
    for part in thing.parts:
        mesh = part.solid.to_mesh()
        checked = trimesh.Trimesh(mesh.vert_properties[:, :3], mesh.tri_verts, process=False)
        assert part.solid.status() == Error.NoError, part.name
        assert part.solid.volume() > 0, part.name
        assert checked.is_watertight, part.name
        assert checked.is_winding_consistent, part.name
        assert checked.volume > 0, part.name


def test_it_stands_in_the_middle_of_the_ground_in_its_real_size(thing: Thing) -> None:
    """Within a millimetre and a centimetre; the size within 40 % of what the family states, each way."""
    boxes = np.array([part.solid.bounding_box() for part in thing.parts])
    low, high = boxes[:, :3].min(0), boxes[:, 3:].max(0)
    assert abs(low[1]) <= 0.001
    assert np.abs((low + high)[[0, 2]] / 2).max() <= 0.01
    assert high - low == pytest.approx(thing.family.size, rel=0.4)


def test_it_is_made_quickly_and_is_not_too_heavy_for_a_file(thing: Thing) -> None:
    """Under 0.4 s of one core, under 60,000 faces."""
    assert thing.seconds < 0.4
    assert sum(part.solid.num_tri() for part in thing.parts) < 60_000


def test_no_part_floats(thing: Thing) -> None:
    """Every loose body of every part touches another, and all hang together."""
    assert loose(thing.parts) == []


def test_a_word_means_one_family() -> None:
    words = [word for family in FAMILIES.values() for word in family.words]
    assert len(words) == len(set(words))
    assert all(word == " ".join(word.lower().split()) for word in words)
    assert all(name == family.name for name, family in FAMILIES.items())


def test_every_fineness_is_finer_than_the_one_before() -> None:
    finenesses: tuple[Detail, ...] = ("draft", "good", "best")
    faces = [sum(part.solid.num_tri() for part in FAMILIES["apple"].build(Look(detail=d))) for d in finenesses]
    assert faces[0] < faces[1] / 2 < faces[2] / 2
