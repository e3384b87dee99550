"""`train`: a real network learns real digits, as told, as asked, and ends when it should."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from running import job, unheard

from frontdesk.bots.parsing import parse_arguments, usage, validate
from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.errors import InvalidRequestError
from frontdesk.queue.kind_train import LONGEST, TRAIN, Epoch, TrainParams, TrainResult, cost, percent
from frontdesk.queue.kinds import Registry
from frontdesk.queue.settings import Settings
from frontdesk.worker import training
from frontdesk.worker.datasets import DataSet, read_digits
from frontdesk.worker.engine import Engine
from frontdesk.worker.network import from_safetensors, multiplications, to_safetensors
from frontdesk.worker.run_files import Workroom
from frontdesk.worker.runner import Bench, CancelledRunError, RunError
from frontdesk.worker.train_runner import TrainRunner
from frontdesk.worker.training import DivergedError, Trained, train
from frontdesk.worker.training_pictures import SIZE, confusion_matrix, curves

CPU = torch.device("cpu")
SHORT = TrainParams(epochs=2, width=4, batch_size=64)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def digits() -> DataSet:
    return read_digits()


def trained(data: DataSet, params: TrainParams, **options: Any) -> Trained:
    calm: dict[str, Any] = {"progress": lambda fraction, note: None, "check": lambda: None}
    return train(data, params, CPU, **calm | options)


@pytest.fixture(scope="module")
def learnt(digits: DataSet) -> Trained:
    """With the parameters that stand where nobody says others."""
    return trained(digits, TrainParams())


class Keeping:
    """A run that nobody cancels; keeps what it hands over."""

    job_id = "abc"

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.notes: list[str | None] = []

    def progress(self, fraction: float | None = None, *, text: str | None = None, note: str | None = None) -> None:
        self.notes.append(note)

    def check(self) -> None:
        pass

    def keep(self, data: bytes | Path, *, name: str, media_type: str) -> Artifact:
        assert isinstance(data, bytes)
        self.kept[name] = data
        return Artifact(name=name, sha256="0" * 64, size=len(data), media_type=media_type)


def loaded(folder: Path) -> TrainRunner:
    settings = Settings(data_dir=folder, device="cpu")
    runner = TrainRunner(Bench(SimpleNamespace(settings=settings), folder))  # type: ignore[arg-type]
    runner.load()
    return runner


def refusal(**raw: Any) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        validate(TRAIN, raw)
    return str(caught.value)


def test_the_usual_settings_read_digits(learnt: Trained) -> None:
    """At least 95 of 100 digits that it never saw, after a few seconds, and each epoch is told."""
    assert learnt.epochs[-1].test_accuracy >= 0.95
    assert len(learnt.epochs) == TrainParams().epochs
    assert learnt.epochs[-1].loss < learnt.epochs[0].loss
    assert learnt.confusion.sum() == 360
    assert learnt.confusion.trace() / 360 == learnt.epochs[-1].test_accuracy
    assert learnt.seconds_training > learnt.seconds_evaluation > 0


def test_a_large_folder_takes_no_memory_for_being_counted() -> None:
    """Of pictures that fill the memory, eight bytes for each of their shades would be the end; and it can be ended."""
    images, asked = np.random.default_rng(0).integers(0, 256, (20_000, 1, 32, 32), dtype=np.uint8), list[None]()
    chosen = np.arange(len(images)) % 5 > 0
    tracemalloc.start()
    mean, deviation = training._shades(images, chosen, lambda: asked.append(None))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * images.nbytes
    assert len(asked) > 5
    assert float(mean) == pytest.approx(images[chosen].mean() / 255, abs=1e-6)
    assert float(deviation) == pytest.approx(images[chosen].std() / 255, abs=1e-6)


def test_the_same_seed_gives_the_same_figures(digits: DataSet) -> None:
    """All of them, whatever else drew random numbers in between; and leaves others' random numbers alone."""
    torch.manual_seed(5)
    before = trained(digits, SHORT)
    drawn = torch.rand(3)
    again = trained(digits, SHORT)
    assert again.epochs == before.epochs
    assert (again.confusion == before.confusion).all()
    torch.manual_seed(5)
    assert (torch.rand(3) == drawn).all()


def test_another_seed_gives_others(digits: DataSet) -> None:
    """Other weights to begin with, and another order."""
    assert trained(digits, SHORT.model_copy(update={"seed": 1})).epochs != trained(digits, SHORT).epochs


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("epochs", "0", "1"),
        ("epochs", "51", "50"),
        ("epochs", "1.5", "whole"),
        ("learning_rate", "0", "0.0001"),
        ("learning_rate", "1.01", "1"),
        ("learning_rate", "nan", "0.0001 to 1"),
        ("learning_rate", "fast", "0.0001 to 1"),
        ("batch_size", "7", "8"),
        ("batch_size", "513", "512"),
        ("width", "1", "2"),
        ("width", "65", "64"),
        ("seed", "-1", "0"),
        ("seed", str(2**31), "2"),
        ("dataset", "/etc", "digits, mnist, folder"),
        ("dataset", "../digits", "digits, mnist, folder"),
    ],
)
def test_what_is_out_of_range_is_named(name: str, value: str, words: str) -> None:
    """Before it is queued: the parameter, and what would be right."""
    sentence = refusal(**{name: value})
    assert sentence.startswith(f"{name}: ")
    assert words in sentence


def test_the_example_can_be_typed() -> None:
    """And everything may be left out."""
    assert validate(TRAIN, parse_arguments(TRAIN, usage(TRAIN).removeprefix("/train"))) == TrainParams()
    assert validate(TRAIN, {}) == TrainParams()


def test_more_work_costs_more() -> None:
    """More epochs, a wider network, smaller batches and larger pictures; the most that MNIST takes fits the limit."""
    usual = cost(TrainParams())
    more: list[dict[str, Any]] = [{"epochs": 30}, {"width": 32}, {"batch_size": 8}, {"dataset": "mnist"}]
    assert all(cost(TrainParams(**change)) > usual for change in more)
    assert cost(TrainParams(dataset="mnist", epochs=50, width=64, batch_size=8)) < LONGEST


def test_cancelling_takes_effect_within_a_batch(digits: DataSet) -> None:
    """Nothing is computed after the look that says so."""
    looks = itertools.count(1)

    def check() -> None:
        if next(looks) == 5:
            raise CancelledRunError

    with pytest.raises(CancelledRunError):
        trained(digits, SHORT, check=check)
    assert next(looks) == 6


def test_large_batches_are_looked_at_in_pieces(digits: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look comes before every piece of bounded work, and pieces change the figures by rounding alone."""
    whole = trained(digits, SHORT)
    monkeypatch.setitem(training.PIECE, "cpu", 10 * multiplications((1, 8, 8), 10, SHORT.width))
    looks = 0

    def check() -> None:
        nonlocal looks
        looks += 1

    pieces = trained(digits, SHORT, check=check)
    assert looks >= 2 * 1437 / 10
    for one, other in zip(whole.epochs, pieces.epochs, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-2)


def test_diverging_ends_with_advice(digits: DataSet) -> None:
    """As soon as nothing more can be learnt: a sentence that names the learning rate and a better one."""
    with pytest.raises(DivergedError) as caught:
        trained(digits, TrainParams(learning_rate=1, batch_size=8))
    assert isinstance(caught.value, RunError)
    assert str(caught.value) == (
        "After epoch 1 the network sees no difference between pictures any more: the steps are too large. Try a "
        "learning rate well below 1, such as 0.1, or a larger batch size."
    )


def test_a_loss_that_is_no_number_ends_it(digits: DataSet) -> None:
    """Within its epoch, and not at its end."""
    looks = itertools.count()
    with pytest.raises(DivergedError, match="The loss became infinite in epoch 1: the steps are too large"):
        trained(digits, SHORT.model_copy(update={"learning_rate": 1e30}), check=lambda: next(looks))
    assert next(looks) < 5


def test_progress_is_told_with_each_epoch(digits: DataSet) -> None:
    """How far, the loss, how many are right, how long it took and how long it will take."""
    told: list[tuple[float, str]] = []
    seconds = itertools.count(0, 0.01)
    trained(digits, SHORT, progress=lambda fraction, note: told.append((fraction, note)), clock=lambda: next(seconds))
    assert told[0] == (0.0, "Epoch 1 of 2")
    assert [fraction for fraction, _ in told] == [0.0, 0.5, 1.0]
    assert told[1][1].startswith("Epoch 1 of 2: loss ")
    assert "of test pictures right; 0 s so far, about 0 s to go" in told[1][1]
    assert told[2][1].endswith("s so far")


def test_long_epochs_tell_how_they_stand(digits: DataSet) -> None:
    """About every second, with the loss so far."""
    told: list[tuple[float, str]] = []
    seconds = itertools.count(0, 0.3)
    trained(digits, SHORT, progress=lambda fraction, note: told.append((fraction, note)), clock=lambda: next(seconds))
    within = [note for fraction, note in told if 0 < fraction < 0.5]
    assert 4 <= len(within) <= 10
    assert all(note.startswith("Epoch 1 of 2: loss ") and "to go" in note for note in within)


def test_time_is_split_into_training_and_evaluation(digits: DataSet) -> None:
    """By the clock: both together are no longer than the whole."""
    ticks = itertools.count()
    done = trained(digits, SHORT, clock=lambda: float(next(ticks)))
    assert done.seconds_training > done.seconds_evaluation > 0
    assert done.seconds_training + done.seconds_evaluation <= next(ticks)


def test_the_weights_are_enough_to_go_on(digits: DataSet, learnt: Trained) -> None:
    """Loaded again they tell the same digits right, and say what they are; the same weights are the same file."""
    said = {"kind": "train", "accuracy": "0.9"}
    data = to_safetensors(learnt.network, (1, 8, 8), digits.classes, said)
    assert data == to_safetensors(learnt.network, (1, 8, 8), digits.classes, dict(reversed(said.items())))
    network, metadata = from_safetensors(data)
    guesses = network(torch.from_numpy(digits.images[digits.test])).argmax(1).numpy()
    assert (guesses == digits.labels[digits.test]).mean() == learnt.epochs[-1].test_accuracy
    assert metadata.items() >= said.items()
    assert metadata["classes"] == '["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]'


def test_a_file_that_is_no_network_is_refused() -> None:
    """With an error of its own and without much memory."""
    for data in (b"", b"\xff" * 16, (5).to_bytes(8, "little") + b"[1,2]"):
        with pytest.raises((ValueError, KeyError, TypeError)):
            from_safetensors(data)


def a_picture(data: bytes) -> Image.Image:
    assert len(data) < 100_000
    picture = Image.open(io.BytesIO(data), formats=("PNG",))
    picture.load()
    assert picture.size == SIZE
    return picture


EPOCH = Epoch(loss=1.0, accuracy=0.5, test_loss=0.9, test_accuracy=0.6)


@pytest.mark.parametrize("count", [1, 2, 50])
def test_the_curves_are_a_picture(count: int) -> None:
    """Of stated size, below 100 kB, with both curves in their colours, for one epoch or fifty."""
    epochs = [
        EPOCH.model_copy(update={"loss": 2 / number, "test_accuracy": 1 - 1 / number}) for number in range(1, count + 1)
    ]
    colours = {
        colour
        for _, colour in a_picture(curves(epochs, "digits: 97.2 % right")).convert("RGB").getcolors(1 << 20) or ()
    }
    assert (0x0B, 0x5C, 0xAD) in colours
    assert (0x8A, 0x8A, 0x8A) in colours
    assert (255, 255, 255) in colours


@pytest.mark.parametrize("count", [2, 10, 12, 13, 100])
def test_the_confusion_matrix_is_a_picture(count: int) -> None:
    """Of stated size, below 100 kB, for two classes or a hundred, whatever they are called."""
    confusion = np.random.default_rng(3).integers(0, 5, (count, count)) + 40 * np.eye(count, dtype=np.int64)
    classes = ["$x^2$ <b>" * 9, "", *(f"class {number}" for number in range(count))][:count]
    a_picture(confusion_matrix(confusion, classes, "folder: 80.1 % right"))


def test_a_class_without_pictures_is_no_division_by_zero() -> None:
    a_picture(confusion_matrix(np.zeros((3, 3), dtype=np.int64), "abc", "nothing"))


def test_drawing_leaves_no_trace_in_the_process() -> None:
    """Nothing of pyplot, whose figures stay until somebody closes them, and no setting changed."""
    code = (
        "import sys; from matplotlib import rcParams\n"
        "def settings(): return {name: rcParams[name] for name in rcParams if name != 'backend'}\n"
        "before = settings()\n"
        "from frontdesk.queue.kind_train import Epoch\n"
        "from frontdesk.worker.training_pictures import curves\n"
        "curves([Epoch(loss=1, accuracy=0, test_loss=1, test_accuracy=0)], 'title')\n"
        "print('matplotlib.pyplot' in sys.modules, settings() == before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["False", "True"], done.stderr


def test_the_runner_hands_back_figures_and_files(tmp_path: Path) -> None:
    """What a user reads: a sentence, figures with what was asked for, two pictures and the weights."""
    context = Keeping()
    result = loaded(tmp_path).run(TrainParams(epochs=3), context)  # type: ignore[arg-type]
    assert result.headline() == f"{percent(result.accuracy)} of 360 test digits right."
    assert result.right / result.tested == result.accuracy == result.curve[-1].test_accuracy
    assert TrainResult.model_validate_json(result.model_dump_json()) == result
    figures = dict(result.figures())
    assert figures["Right"] == f"{result.right} of 360, after 3 epochs"
    assert figures["Device"] == "cpu"
    assert figures["Training"].endswith("s on 1437 pictures")
    assert [(kept.name, kept.media_type) for kept in result.artifacts] == [
        ("digits-curves.png", "image/png"),
        ("digits-confusion.png", "image/png"),
        ("digits-weights.safetensors", "application/octet-stream"),
    ]
    _, metadata = from_safetensors(context.kept["digits-weights.safetensors"])
    assert float(metadata["accuracy"]) == pytest.approx(result.accuracy, abs=1e-6)
    assert (metadata["kind"], metadata["dataset"], metadata["seed"]) == ("train", "digits", "0")
    assert metadata["dataset_sha256"] == result.dataset_sha256


def test_what_guesses_says_so(tmp_path: Path) -> None:
    """Steps so small that nothing is learnt: no figure is passed off as success."""
    params = TrainParams(epochs=1, learning_rate=0.0001, batch_size=512, width=2)
    result = loaded(tmp_path).run(params, Keeping())  # type: ignore[arg-type]
    assert result.accuracy < 0.3
    guessed = result.model_copy(update={"accuracy": 0.1})
    assert "That is guessing" in (guessed.headline() or "")


def test_a_result_is_known_by_its_data_and_device(tmp_path: Path) -> None:
    """The model's name, which repeated requests are told apart by, has both."""
    name = loaded(tmp_path).model or ""
    assert name.startswith("small network on cpu (digits ")
    assert read_digits().sha256[:8] in name


def test_without_its_data_set_a_job_fails_with_a_sentence(tmp_path: Path) -> None:
    """Should it come to this worker all the same, which says that it lacks them."""
    runner = loaded(tmp_path)
    assert set(runner.lacks()) == {"train/mnist", "train/folder"}
    with pytest.raises(RunError, match="MNIST digits are not installed"):
        runner.run(TrainParams(dataset="mnist"), Keeping())  # type: ignore[arg-type]


async def test_a_job_ends_with_its_files_in_the_store(tmp_path: Path) -> None:
    """Through the worker's engine: the outcome names all three, and each reads as it was made."""
    store = ArtifactStore.of(Settings(data_dir=tmp_path))
    engine = Engine(Registry([TRAIN]), {"train": loaded(tmp_path)}, store=store, room=Workroom(tmp_path / "runs"))
    await engine.load()
    asked = job().model_copy(update={"kind": "train", "params": SHORT.model_dump()})
    outcome = await engine.run(asked, unheard)
    assert outcome.status == "done", outcome.reason
    result = TrainResult.model_validate(outcome.result)
    assert outcome.files == tuple(kept.sha256 for kept in result.artifacts)
    assert [len(store.read(kept)) for kept in result.artifacts] == [kept.size for kept in result.artifacts]
    await engine.close()


@pytest.mark.parametrize(
    ("share", "said"), [(1.0, "100.0 %"), (0.9999, "99.9 %"), (350 / 360, "97.2 %"), (0.0, "0.0 %")]
)
def test_a_hundred_per_cent_is_said_of_nothing_less(share: float, said: str) -> None:
    assert percent(share) == said


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_the_same_seed_gives_the_same_figures(digits: DataSet) -> None:
    calm: dict[str, Any] = {"progress": lambda fraction, note: None, "check": lambda: None}
    one, other = (train(digits, TrainParams(epochs=3), torch.device("cuda"), **calm) for _ in range(2))
    assert one.epochs == other.epochs
    assert one.epochs[-1].test_accuracy > 0.8
