"""The kind `train`: a small network learns to tell pictures apart, with the hyper-parameters that somebody asks for."""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.jobs import Ranking, Wire
from frontdesk.queue.kinds import JobKind
from frontdesk.queue.leaderboard import Entry
from frontdesk.queue.parameters import Params
from frontdesk.queue.results import Attachment, Result

# `folder` is a word and never a path: which folder it is, the worker's own settings say, and no chat can.
DataSetName: TypeAlias = Literal["digits", "mnist", "folder"]

# Pictures to learn from, and numbers in each; of a folder, nothing is known here but that it may not be small.
SIZES: dict[DataSetName, tuple[int, int]] = {
    "digits": (1437, 8 * 8),
    "mnist": (8000, 28 * 28),
    "folder": (8000, 3 * 1024),
}
TESTED = 0.25  # test pictures for each one to learn from; telling them apart costs a third of learning from them

# Device-seconds on one CPU core; what a machine really takes is measured and scales them.
SECONDS_PER_STEP = 0.0012
SECONDS_PER_MULTIPLICATION = 1e-10
SECONDS_PER_OUTPUT = 1.1e-8  # of the first layer: memory, and not arithmetic, bounds small networks
SECONDS_OF_DRAWING = 1.0
# Bytes, twice what the largest requests were measured to take; a folder's own pictures come on top.
MEMORY: dict[DataSetName, int] = {"digits": 600_000_000, "mnist": 600_000_000, "folder": 1_500_000_000}
LONGEST = 3600.0  # seconds: three times what the largest request for `mnist` takes on one core


class TrainParams(Params):
    dataset: Annotated[
        DataSetName, Field(description="What to learn: small digits, MNIST's digits, or this desk's own folder")
    ] = "digits"
    epochs: Annotated[int, Field(description="How often it sees every picture", ge=1, le=50)] = 15
    learning_rate: Annotated[
        float, Field(description="The size of its first steps; too large a one learns nothing", ge=0.0001, le=1)
    ] = 0.05
    batch_size: Annotated[int, Field(description="Pictures for each step", ge=8, le=512)] = 32
    width: Annotated[int, Field(description="The size of the network: filters in its first layer", ge=2, le=64)] = 16
    seed: Annotated[int, Field(description="The same seed gives the same result again", ge=0, le=2**31 - 1)] = 0


class Epoch(Wire):
    """What one pass over the pictures came to. Losses are mean cross-entropies in nats, accuracies shares of 0 to 1.

    `loss` and `accuracy` are means over the pass, while the network was changing; the test's are those at its end.
    """

    loss: float
    accuracy: float
    test_loss: float
    test_accuracy: float


class TrainResult(Result):
    """How well the network does on pictures that it did not learn from, after its last epoch. Times in seconds."""

    dataset: DataSetName
    dataset_sha256: Annotated[str, Field(description="Of the pictures, labels and classes, in no particular order")]
    accuracy: float
    loss: float
    right: int
    tested: int
    trained: int
    classes: int
    seconds_training: float
    seconds_evaluation: float
    epochs: int
    learning_rate: float
    batch_size: int
    width: int
    seed: int
    parameters: Annotated[int, Field(description="Numbers that were learnt")]
    device: str
    curve: tuple[Epoch, ...]
    artifacts: tuple[Artifact, ...]

    def headline(self) -> str:
        things = "pictures" if self.dataset == "folder" else "digits"
        said = f"{percent(self.accuracy)} of {self.tested} test {things} right."
        guessing = self.accuracy <= 1.2 / self.classes
        return f"{said} That is guessing: try a smaller learning rate, or more epochs." if guessing else said

    def known(self) -> str:
        return f"Already trained: {percent(self.accuracy)} in {self.seconds_training:.3g} s."

    def ranking(self) -> Ranking:
        return Entry.of(self).ranking(f"{percent(self.accuracy)} with {self.asked}")

    @property
    def asked(self) -> str:
        """Its configuration in a few words, but for the data set."""
        return (
            f"learning rate {self.learning_rate:g}, width {self.width}, {self.epochs} "
            f"{'epoch' if self.epochs == 1 else 'epochs'}, batch size {self.batch_size}, seed {self.seed}"
        )

    def attachments(self) -> list[Attachment]:
        """The curves are shown; the confusion matrix and the weights come with them."""
        roles: dict[str, Literal["preview", "still", "file"]] = {"curves.png": "preview", "confusion.png": "still"}
        return [Attachment(each, roles.get(each.name.rpartition("-")[2], "file")) for each in self.artifacts]

    def figures(self) -> list[tuple[str, str]]:
        return [
            (
                "Right",
                f"{self.right} of {self.tested}, after {self.epochs} {'epoch' if self.epochs == 1 else 'epochs'}",
            ),
            ("Loss", f"{self.loss:.3f}"),
            ("Training", f"{self.seconds_training:.1f} s on {self.trained} pictures"),
            ("Evaluation", f"{self.seconds_evaluation:.1f} s"),
            ("Learning rate", f"{self.learning_rate:g}"),
            ("Batch size", str(self.batch_size)),
            ("Network", f"{self.parameters:,} numbers (width {self.width})"),
            ("Data set", f"{self.dataset} ({self.dataset_sha256[:8]})"),
            ("Seed", str(self.seed)),
            ("Device", self.device),
        ]


def percent(share: float) -> str:
    """Rounded down, so that 100 % is said of nothing less."""
    return f"{math.floor(1000 * share + 1e-9) / 10:.1f} %"


def cost(params: TrainParams) -> float:
    """Device-seconds: one pass over a picture multiplies n (9 w + 4.5 w^2) numbers, n being its own and w the width."""
    pictures, numbers = SIZES[params.dataset]
    multiplications = numbers * (9 * params.width + 4.5 * params.width**2)
    a_picture = multiplications * SECONDS_PER_MULTIPLICATION + numbers * params.width * SECONDS_PER_OUTPUT
    steps = math.ceil(pictures / params.batch_size)
    an_epoch = steps * SECONDS_PER_STEP + pictures * (1 + TESTED / 3) * a_picture
    return SECONDS_OF_DRAWING + params.epochs * an_epoch


TRAIN = JobKind(
    name="train",
    summary="A small network learns to read digits with your settings",
    params=TrainParams,
    result=TrainResult,
    cost=cost,
    lane="long",
    time_limit=LONGEST,
    needs=lambda params: () if params.dataset == "digits" else (f"train/{params.dataset}",),
    memory=lambda params: MEMORY[params.dataset],
    deterministic=True,
    lasting=True,
    gallery=True,
    example={"dataset": "digits", "epochs": "15", "learning_rate": "0.05"},
)
