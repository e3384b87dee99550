"""`sculpt` by the modeller, as a user gets it: files that others open, pictures, words, buttons, and cancelling."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from gltf import Validator
from PIL import Image
from running import job, unheard
from sculpted import Noting, read_back, runner, sculpted, small_pictures

from frontdesk.bots.parsing import parse_arguments, validate
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.kind_sculpt import MEMORY, SCULPT, SECONDS, SculptParams, SculptResult
from frontdesk.queue.kinds import Registry
from frontdesk.queue.settings import Settings
from frontdesk.worker import sculpt_modeller
from frontdesk.worker.engine import Engine
from frontdesk.worker.families import FAMILIES
from frontdesk.worker.run_files import Workroom
from frontdesk.worker.runner import CancelledRunError, OutOfMemoryError, RunError
from frontdesk.worker.sculpt_runner import SculptRunner, named

PROMPTS = [
    "two small red chairs beside a round wooden table",
    "a blue cat on a green sofa",
    "a golden crown on a red box",
    "a castle on a hill with two trees",
    "a bowl of apples on a table",
    "a glass vase with three tulips",
    "a silver robot",
    "a candle between two books",
    "a sailing boat beside a lighthouse",
    "six penguins in a row",
    "a very tall striped hat",
    "a bicycle, a car and a helicopter",
]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def modeller() -> SculptRunner:
    made = runner()
    made.load()
    return made


@pytest.fixture(autouse=True)
def pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole ones only where they are what is tested."""
    if "preview" not in request.node.name:
        small_pictures(monkeypatch)


# -- Files


@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_glb_is_valid_and_stands_in_the_middle(
    modeller: SculptRunner, gltf_validator: Validator, tmp_path: Path, prompt: str
) -> None:
    """Khronos' validator finds no error; within a metre, on the ground, and closed."""
    result, file = sculpted(modeller, prompt, quality="draft")
    assert gltf_validator.report(file, tmp_path / "made.glb")["issues"]["numErrors"] == 0
    assert result.unknown in ((), ("striped",))
    mesh = read_back(file, "glb")
    low, high = mesh.bounds
    assert (low + high)[[0, 2]] == pytest.approx([0, 0], abs=1e-3)
    assert low[1] == pytest.approx(0, abs=1e-3)
    assert 0.99 < max(high - low) <= 1
    assert result.size == pytest.approx(high - low, abs=1e-3)
    assert result.faces == len(mesh.faces)
    assert result.watertight


@pytest.mark.parametrize("prompt", ["a lighthouse", "a wine glass", "a lamp on a stool"])
def test_y_is_up(modeller: SculptRunner, prompt: str) -> None:
    """What is high, and what is on something, is higher than wide."""
    result, _ = sculpted(modeller, prompt, quality="draft")
    assert result.size[1] > 1.5 * max(result.size[0], result.size[2])


@pytest.mark.parametrize("prompt", PROMPTS[:4])
def test_an_stl_can_be_printed(modeller: SculptRunner, prompt: str) -> None:
    """One closed surface of 100 mm with its z up, also where things touch."""
    result, file = sculpted(modeller, prompt, quality="draft", format="stl")
    mesh = read_back(file, "stl")
    mesh.merge_vertices()
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0
    assert max(mesh.extents) == pytest.approx(100, abs=0.01)
    assert mesh.bounds[0][2] == pytest.approx(0, abs=0.01)
    assert dict(result.figures())["Size"].endswith(" mm")
    assert result.watertight


@pytest.mark.parametrize("format", ["obj", "ply"])
def test_colours_are_in_the_other_formats_too(modeller: SculptRunner, format: str) -> None:
    """As vertex colours: the cat is blue, and the sofa is green."""
    _, file = sculpted(modeller, "a blue cat on a green sofa", quality="draft", format=format)
    mesh = read_back(file, format)
    red, green, blue = np.asarray(mesh.visual.vertex_colors)[:, :3].astype(int).T  # type: ignore[union-attr]
    assert (green > np.maximum(red, blue) + 40).sum() > 100
    assert (blue > np.maximum(red, green) + 40).sum() > 100
    assert max(mesh.extents) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("format", ["glb", "obj", "ply", "stl"])
def test_the_same_request_gives_the_same_bytes(modeller: SculptRunner, format: str) -> None:
    """Pictures and all; also after other requests. Another seed gives another object."""
    prompt = "a tree beside a house"
    one, other, differing = Noting(), Noting(), Noting()
    sculpted(modeller, prompt, one, quality="draft", format=format, seed=3)
    sculpted(modeller, prompt, differing, quality="draft", format=format, seed=4)
    sculpted(modeller, prompt, other, quality="draft", format=format, seed=3)
    assert one.kept == other.kept
    assert one.kept[f"a-tree-beside-a-house.{format}"] != differing.kept[f"a-tree-beside-a-house.{format}"]


def test_a_finer_quality_has_more_faces(modeller: SculptRunner) -> None:
    draft, good, best = (sculpted(modeller, "a teapot", quality=each)[0].faces for each in ("draft", "good", "best"))
    assert draft < good < best


def test_a_scene_has_no_more_faces_than_can_be_drawn(modeller: SculptRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made less fine, says so, and stays closed."""
    whole, _ = sculpted(modeller, "four teapots", quality="good")
    monkeypatch.setattr(sculpt_modeller, "MOST_FACES", whole.faces // 4)
    result, _ = sculpted(modeller, "four teapots", quality="good")
    assert result.faces < 0.6 * whole.faces
    assert result.notes == ("There is so much of it that each thing was made as for the quality draft.",)
    assert result.watertight


def test_names_of_files_are_plain() -> None:
    assert named("Two small RED chairs!") == "two-small-red-chairs"
    assert named("../../etc/passwd") == "etc-passwd"
    assert named("стул") == "object"
    assert len(named("word " * 50)) <= 40


# -- Pictures


def test_the_preview_turns_for_ever_and_is_small(modeller: SculptRunner) -> None:
    """A GIF that chats show inline, and a still, both of the object on plain ground."""
    context = Noting()
    result, _ = sculpted(modeller, "a red chair", context, quality="draft")
    moving = context.kept[result.preview.name]
    assert len(moving) < 2_000_000
    with Image.open(io.BytesIO(moving)) as gif:
        assert (gif.format, gif.info["loop"]) == ("GIF", 0)
        assert getattr(gif, "n_frames", 1) >= 12
        first = np.asarray(gif.convert("RGB")).astype(int)
        gif.seek(gif.tell() + 6)
        assert (np.asarray(gif.convert("RGB")) != first).any()
    with Image.open(io.BytesIO(context.kept[result.still.name])) as still:
        assert (still.format, still.size) == ("PNG", (768, 768))
        red, green, _ = np.asarray(still.convert("RGB")).astype(int).transpose(2, 0, 1)
    assert (red - green > 80).mean() > 0.01
    assert [(one.role, one.artifact.name) for one in result.attachments()] == [
        ("preview", "a-red-chair-turning.gif"), ("still", "a-red-chair.png"), ("file", "a-red-chair.glb"),
    ]  # fmt: skip


# -- Words


def test_the_reply_says_by_what_it_was_made(modeller: SculptRunner) -> None:
    """And that no neural network did it."""
    result, _ = sculpted(modeller, "a red chair", quality="draft")
    assert result.headline() == "Made by the modeller, from parametric shapes; not a neural network."
    assert dict(result.figures())["Backend"] == "modeller, on CPU"
    assert (modeller.model or "").startswith("modeller ")
    assert result.body() is None
    assert SculptResult.model_validate_json(result.model_dump_json()) == result


def test_words_that_are_not_understood_are_named(modeller: SculptRunner) -> None:
    """As they were typed; the rest is made."""
    result, _ = sculpted(modeller, "a red Flibbertigibbet beside a chair", quality="draft")
    assert result.unknown == ("Flibbertigibbet",)
    assert "Not understood, and left out: Flibbertigibbet." in (result.body() or "")


def test_nothing_understood_is_a_sentence_with_examples(modeller: SculptRunner) -> None:
    """It names the words, and things that there are."""
    with pytest.raises(RunError) as refused:
        sculpted(modeller, "xyzzy flibbertigibbet")
    sentence = str(refused.value)
    assert sentence.startswith("I understood none of it: xyzzy, flibbertigibbet. ")
    named_things = sentence.partition("such as ")[2].rstrip(".").replace(" and ", ", ").split(", ")
    assert len(named_things) == 3
    assert set(named_things) <= set(FAMILIES)


def test_there_are_the_promised_families() -> None:
    assert len(FAMILIES) >= 40


# -- Buttons


def test_buttons_can_be_pressed(modeller: SculptRunner) -> None:
    """Each asks for what differs in one thing, and would be accepted."""
    result, _ = sculpted(modeller, "a red chair", quality="draft", seed=7, format="ply")
    variants = list(result.variants())
    assert [each.label for each in variants] == ["Other seed", "Similar prompt", "As GLB", "As OBJ", "As STL"]
    same = {"prompt": "a red chair", "seed": 7, "quality": "draft", "format": "ply"}
    for each in variants:
        params = SculptParams.model_validate(each.params)
        differing = {name for name, value in params.model_dump().items() if value != same[name]}
        assert differing == ({"format"} if each.label.startswith("As") else set())
        assert {each.draw, each.edit} - {None} <= set(SculptParams.model_fields)
    assert [(each.draw, each.edit) for each in variants[:2]] == [("seed", None), (None, "prompt")]


def test_the_example_can_be_typed() -> None:
    """What /help shows is accepted, words as they are."""
    asked = validate(SCULPT, parse_arguments(SCULPT, str(SCULPT.example["prompt"])))
    assert asked == SculptParams(prompt=str(SCULPT.example["prompt"]))


@pytest.mark.parametrize("prompt", ["", "   ", "12 34", "!?", "a" * 401])
def test_what_is_no_prompt_is_refused_before_the_queue(prompt: str) -> None:
    with pytest.raises(ValueError, match="prompt"):
        SculptParams(prompt=prompt)


def test_finer_costs_more() -> None:
    """Of time and memory."""
    for amounts in (SECONDS, MEMORY):
        assert amounts["draft"] <= amounts["good"] <= amounts["best"]


# -- Ends


def test_progress_rises_to_the_end(modeller: SculptRunner) -> None:
    context = Noting()
    sculpted(modeller, "a red chair", context, quality="draft")
    fractions = [fraction for fraction, _ in context.told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert 0.8 < fractions[-1] <= 1
    assert context.told[0][1] == "reading the prompt"
    assert context.shown == []  # it is ready too soon for that


@pytest.mark.parametrize("format", ["glb", "stl"])
def test_it_can_be_cancelled_at_every_stage(modeller: SculptRunner, format: str) -> None:
    """Whatever it does just then, the next question whether to go on ends it, and it has kept nothing."""
    prompt = "two chairs beside a table"
    whole = Noting()
    sculpted(modeller, prompt, whole, quality="draft", format=format)
    assert whole.checks > 10
    for last in range(1, whole.checks + 1):
        context = Noting(last)
        with pytest.raises(CancelledRunError):
            sculpted(modeller, prompt, context, quality="draft", format=format)
        assert context.kept == {}


def test_too_little_memory_is_said_so(modeller: SculptRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(sculpt_modeller, "from_copies", full)
    with pytest.raises(OutOfMemoryError):
        sculpted(modeller, "a chair", quality="draft")


# -- In the worker


async def outcome(made: SculptRunner, folder: Path, **params: object) -> tuple[Outcome, ArtifactStore, list[Path]]:
    """Of a job, with the store, and what is left in the folder of runs."""
    store = ArtifactStore.of(Settings(data_dir=folder))
    engine = Engine(Registry([SCULPT]), {"sculpt": made}, store=store, room=Workroom(folder / "runs"))
    asked = job().model_copy(update={"kind": "sculpt", "params": params})
    ended = await engine.run(asked, unheard)
    left = [path for path in (folder / "runs").rglob("*") if path.is_file() and path.name != ".lock"]
    return ended, store, left


async def test_a_job_ends_with_its_files_in_the_store(modeller: SculptRunner, tmp_path: Path) -> None:
    """Preview, still and object, each as it was made."""
    ended, store, left = await outcome(modeller, tmp_path, prompt="a red chair", quality="draft")
    assert ended.status == "done", ended.reason
    result = SculptResult.model_validate(ended.result)
    assert set(ended.files) == {one.artifact.sha256 for one in result.attachments()}
    starts = [store.read(one.artifact)[:4] for one in result.attachments()]
    assert starts == [b"GIF8", b"\x89PNG", b"glTF"]
    assert left == []


async def test_a_failed_job_leaves_no_files_behind(modeller: SculptRunner, tmp_path: Path) -> None:
    ended, store, left = await outcome(modeller, tmp_path, prompt="xyzzy flibbertigibbet")
    assert (ended.status, ended.files) == ("failed", ())
    assert (ended.reason or "").startswith("I understood none of it")
    assert left == []
    assert list(store.contents().files) == []
