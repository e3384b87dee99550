"""The `train` runner: from a job's parameters to figures, two pictures and the weights."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

import torch

from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.kind_train import SIZES, TrainParams, TrainResult, percent
from frontdesk.worker.datasets import DataSet, DataSets
from frontdesk.worker.models import chosen_device, memory_errors
from frontdesk.worker.network import to_safetensors
from frontdesk.worker.runner import Bench, RunContext, Runner
from frontdesk.worker.training import Trained, train
from frontdesk.worker.training_pictures import confusion_matrix, curves


class TrainRunner(Runner[TrainParams, TrainResult]):
    """Trains on the data sets that this worker has."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self._settings = bench.models.settings
        self._data = DataSets(bench.data_dir, mnist=self._settings.mnist_folder, folder=self._settings.train_folder)
        self._device: torch.device | None = None

    def load(self) -> None:
        """Raises ConfigurationError."""
        self._device = chosen_device(self._settings)
        self._data.load()

    @property
    def model(self) -> str | None:
        """With the data sets' content: a result is given again only while it would be the same."""
        return f"small network on {_named(self._device)} ({self._data})" if self._device else None

    @property
    def revision(self) -> str:
        return f"frontdesk {version('frontdesk')}"

    def lacks(self) -> Mapping[str, str]:
        return {f"train/{name}": lack for name in SIZES if (lack := self._data.lacks(name))}

    def run(self, params: TrainParams, context: RunContext) -> TrainResult:
        assert self._device is not None, "load() comes first"  # noqa: S101 -- the contract of Runner
        data = self._data.get(params.dataset)

        def tell(fraction: float, note: str) -> None:
            context.progress(fraction, note=note)

        with memory_errors():
            trained = train(data, params, self._device, progress=tell, check=context.check)
        context.check()
        return _result(data, params, trained, _named(self._device), _kept(data, params, trained, context))


def _kept(data: DataSet, params: TrainParams, trained: Trained, context: RunContext) -> tuple[Artifact, ...]:
    """All are made before the first is kept: a failure leaves none behind."""
    accuracy = trained.epochs[-1].test_accuracy
    said = {
        "kind": "train",
        "dataset": data.name,
        "dataset_sha256": data.sha256,
        "accuracy": f"{accuracy:.6f}",
        **{name: f"{value}" for name, value in params.model_dump(exclude={"dataset", "width"}).items()},
    }
    title = f"{data.name}: {percent(accuracy)} right"
    drawn = curves(trained.epochs, title)
    context.check()
    matrix = confusion_matrix(trained.confusion, data.classes, title)
    context.check()
    weights = to_safetensors(trained.network, data.images.shape[1:], data.classes, said)
    made = (
        ("curves.png", "image/png", drawn),
        ("confusion.png", "image/png", matrix),
        ("weights.safetensors", "application/octet-stream", weights),
    )
    context.check()
    return tuple(
        context.keep(content, name=f"{data.name}-{name}", media_type=media_type) for name, media_type, content in made
    )


def _result(
    data: DataSet, params: TrainParams, trained: Trained, device: str, artifacts: tuple[Artifact, ...]
) -> TrainResult:
    last = trained.epochs[-1]
    return TrainResult(
        **params.model_dump(),
        dataset_sha256=data.sha256,
        accuracy=last.test_accuracy,
        loss=last.test_loss,
        right=int(trained.confusion.trace()),
        tested=int(data.test.sum()),
        trained=int((~data.test).sum()),
        classes=len(data.classes),
        seconds_training=trained.seconds_training,
        seconds_evaluation=trained.seconds_evaluation,
        parameters=trained.network.learnt,
        device=device,
        curve=trained.epochs,
        artifacts=artifacts,
    )


def _named(device: torch.device) -> str:
    """A GPU by its name, without its number: the same card elsewhere gives the same."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
