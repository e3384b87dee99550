"""Training a small network: seeded, told epoch by epoch, and ended within a moment. It knows of no queue.

Stochastic gradient descent with Nesterov's momentum (Sutskever et al. 2013), the learning rate falling to 0 along half
a cosine (Loshchilov and Hutter 2017). The same parameters and pictures give the same figures on the same machine:
orders and weights are drawn from the seed on the CPU, and cuDNN is held to its repeatable algorithms.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from frontdesk.queue.kind_train import Epoch, TrainParams, percent
from frontdesk.worker.datasets import DataSet
from frontdesk.worker.network import SmallNetwork, multiplications, seeded_network
from frontdesk.worker.runner import RunError

MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
# Multiplications of a pass between two looks at whether to go on: about a tenth of a second each on two CPU cores.
PIECE = {"cpu": 5e8, "cuda": 2e11}
# Of one step, for each processor that shares in it: with less, they mostly wait for each other, and on a machine that
# does something else meanwhile they wait five times as long as one alone works.
MULTIPLICATIONS_OF_A_THREAD = 1e8
TOLD_EVERY = 1.0  # seconds between two reports within an epoch
TESTED_AT_ONCE = 1000  # pictures
COUNTED_AT_ONCE = 2000

Tell: TypeAlias = Callable[[float, str], None]
Spent: TypeAlias = Literal["training", "evaluation"]


class DivergedError(RunError):
    """Nothing more can be learnt. The sentence says what happened, and what to change."""

    def __init__(self, what: str, learning_rate: float) -> None:
        super().__init__(
            f"{what}: the steps are too large. Try a learning rate well below {learning_rate:g}, such as "
            f"{learning_rate / 10:.2g}, or a larger batch size."
        )


@dataclass(frozen=True)
class Trained:
    """confusion: int64 (classes, classes), test pictures by their class (rows) and what they were taken for."""

    network: SmallNetwork
    epochs: tuple[Epoch, ...]
    confusion: NDArray[np.int64]
    seconds_training: float
    seconds_evaluation: float


def train(
    data: DataSet,
    params: TrainParams,
    device: torch.device,
    *,
    progress: Tell,
    check: Callable[[], None],
    clock: Callable[[], float] = time.perf_counter,
) -> Trained:
    """All epochs, each with a look at the test.

    progress: hears how far it is (0 to 1), and a note: with each epoch, and within long ones about every second.
    check: called several times a second; what it raises ends the training.
    clock: in seconds.

    Raises DivergedError.
    """
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        run = _Training(data, params, device, progress, check, clock)
        with _at_most(run.threads):
            return run.run()


class _Training:
    def __init__(
        self,
        data: DataSet,
        params: TrainParams,
        device: torch.device,
        progress: Tell,
        check: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._params, self._progress, self._check, self._clock = params, progress, check, clock
        self._began = self._told = clock()
        self._spent: dict[Spent, float] = {"training": 0.0, "evaluation": 0.0}
        self._images, self._labels = _on_device(data, ~data.test, device)
        self._test_images, self._test_labels = _on_device(data, data.test, device)
        self._classes = len(data.classes)
        shape = data.images.shape[1:]
        mean, deviation = _shades(data.images, ~data.test, check)
        self._network = seeded_network(shape, self._classes, params.width, mean, deviation, params.seed).to(device)
        of_one = multiplications(shape, self._classes, params.width)
        piece = PIECE.get(device.type, PIECE["cpu"]) / of_one
        self._piece = max(1, int(piece))
        self.threads = max(1, int(params.batch_size * of_one / MULTIPLICATIONS_OF_A_THREAD))
        self._optimiser = torch.optim.SGD(
            self._network.parameters(), params.learning_rate, MOMENTUM, weight_decay=WEIGHT_DECAY, nesterov=True
        )
        self._order = torch.Generator().manual_seed(params.seed)
        self._steps_of_epoch = math.ceil(len(self._labels) / params.batch_size)
        self._step = 0

    def run(self) -> Trained:
        self._progress(0.0, f"Epoch 1 of {self._params.epochs}")
        epochs = []
        for number in range(1, self._params.epochs + 1):
            with self._timed("training"):
                loss, right = self._learn(number)
            with self._timed("evaluation"):
                test_loss, confusion = self._evaluate(number)
            accuracy = int(confusion.trace()) / len(self._test_labels)
            epochs.append(
                Epoch(loss=loss, accuracy=right / len(self._labels), test_loss=test_loss, test_accuracy=accuracy)
            )
            self._tell(number, f"loss {loss:.3g}, {percent(accuracy)} of test pictures right")
        return Trained(
            self._network.cpu().eval(), tuple(epochs), confusion, self._spent["training"], self._spent["evaluation"]
        )

    def _learn(self, number: int) -> tuple[float, int]:
        """One pass over the pictures in a drawn order: mean loss, and how many were told right meanwhile."""
        self._network.train()
        total, right = 0.0, 0
        order = torch.randperm(len(self._labels), generator=self._order)
        for batch in torch.split(order, self._params.batch_size):
            self._set_rate()
            loss, hits = self._learn_from(batch.to(self._labels.device))
            self._check_finite(loss, number)
            total, right = total + loss * len(batch), right + hits
            if self._clock() - self._told >= TOLD_EVERY:
                self._tell(number, f"loss {loss:.3g}")
        return total / len(order), right

    def _learn_from(self, batch: Tensor) -> tuple[float, int]:
        """One step, in pieces whose gradients add up to the batch's: its mean loss, and how many were told right."""
        total, right = 0.0, 0
        self._optimiser.zero_grad(set_to_none=True)
        for piece in torch.split(batch, self._piece):
            self._check()
            labels = self._labels[piece]
            scores = self._network(self._images[piece])
            loss = functional.cross_entropy(scores, labels, reduction="sum") / len(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
            right += int((scores.argmax(1) == labels).sum().item())
        self._optimiser.step()
        self._step += 1
        return total, right

    def _set_rate(self) -> None:
        share = self._step / (self._params.epochs * self._steps_of_epoch)
        for group in self._optimiser.param_groups:
            group["lr"] = self._params.learning_rate * (1 + math.cos(math.pi * share)) / 2

    @torch.inference_mode()
    def _evaluate(self, number: int) -> tuple[float, NDArray[np.int64]]:
        """The mean loss on the test, and its confusion matrix."""
        self._network.eval()
        total, confusion = 0.0, torch.zeros(self._classes**2, dtype=torch.int64)
        size = min(TESTED_AT_ONCE, 2 * self._piece)
        first, blind = None, True  # filters that are 0 for every picture never learn again
        for images, labels in zip(
            torch.split(self._test_images, size), torch.split(self._test_labels, size), strict=True
        ):
            self._check()
            scores = self._network(images)
            first = scores[:1] if first is None else first
            blind = blind and bool((scores == first).all())
            total += functional.cross_entropy(scores, labels, reduction="sum").item()
            pairs = (labels * self._classes + scores.argmax(1)).cpu()
            confusion += torch.bincount(pairs, minlength=self._classes**2)
        self._check_finite(total, number)
        if blind:
            what = f"After epoch {number} the network sees no difference between pictures any more"
            raise DivergedError(what, self._params.learning_rate)
        return total / len(self._test_labels), confusion.view(self._classes, self._classes).numpy()

    def _check_finite(self, loss: float, number: int) -> None:
        if not math.isfinite(loss):
            raise DivergedError(f"The loss became infinite in epoch {number}", self._params.learning_rate)

    def _tell(self, number: int, news: str) -> None:
        self._told = self._clock()
        share = self._step / (self._params.epochs * self._steps_of_epoch)
        elapsed = self._told - self._began
        left = elapsed * (1 - share) / share
        times = f"{_duration(elapsed)} so far" + (f", about {_duration(left)} to go" if share < 1 else "")
        self._progress(share, f"Epoch {number} of {self._params.epochs}: {news}; {times}")

    @contextmanager
    def _timed(self, what: Spent) -> Iterator[None]:
        began = self._clock()
        yield
        self._spent[what] += self._clock() - began


def _on_device(data: DataSet, chosen: NDArray[np.bool_], device: torch.device) -> tuple[Tensor, Tensor]:
    """Pictures stay bytes there: floats of all of them would be four times as large."""
    return torch.from_numpy(data.images[chosen]).to(device), torch.from_numpy(data.labels[chosen]).to(device)


def _shades(images: NDArray[np.uint8], chosen: NDArray[np.bool_], check: Callable[[], None]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel of the chosen ones, shades being 0 to 1; exact, by counting.

    Counted a few at a time: numpy takes eight bytes for each shade that it counts.
    """
    means, deviations = [], []
    places = np.flatnonzero(chosen)
    parts = np.array_split(places, math.ceil(len(places) / COUNTED_AT_ONCE))
    for channel in range(images.shape[1]):
        counts = np.zeros(256, dtype=np.int64)
        for part in parts:
            check()
            counts += np.bincount(images[part, channel].ravel(), minlength=256)
        shades = np.arange(256) / 255
        mean = float((counts * shades).sum() / counts.sum())
        means.append(mean)
        deviations.append(max(math.sqrt(float((counts * (shades - mean) ** 2).sum() / counts.sum())), 1 / 255))
    return torch.tensor(means), torch.tensor(deviations)


@contextmanager
def _at_most(threads: int) -> Iterator[None]:
    """Of the processors that torch uses otherwise."""
    usual = torch.get_num_threads()
    torch.set_num_threads(min(threads, usual))
    try:
        yield
    finally:
        torch.set_num_threads(usual)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
