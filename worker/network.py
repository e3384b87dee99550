"""The network of `train`: two convolutions and a linear layer, by width; and its weights as a file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

METADATA_BYTES = 2**20


class SmallNetwork(nn.Module):
    """Scores (n, classes) from pictures (n, channels, height, width) of uint8; sides are 4 pixels at least.

    mean, deviation: of each channel, shades being 0 to 1; kept with the weights, so that they are enough to go on.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: Sequence[int], classes: int, width: int, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        channels, height, image_width = shape
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.second = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.last = nn.Linear(2 * width * (height // 4) * (image_width // 4), classes)
        self.register_buffer("mean", mean.float().view(channels, 1, 1))
        self.register_buffer("deviation", deviation.float().view(channels, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        x = (images.float() / 255 - self.mean) / self.deviation
        x = functional.max_pool2d(functional.relu(self.first(x)), 2)
        x = functional.max_pool2d(functional.relu(self.second(x)), 2)
        scores: Tensor = self.last(x.flatten(1))
        return scores

    @property
    def learnt(self) -> int:
        """How many numbers training changes."""
        return sum(parameter.numel() for parameter in self.parameters())


def seeded_network(
    shape: Sequence[int], classes: int, width: int, mean: Tensor, deviation: Tensor, seed: int
) -> SmallNetwork:
    """On the CPU, so that every device starts alike. The caller's own random numbers stay as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return SmallNetwork(shape, classes, width, mean, deviation)


def multiplications(shape: Sequence[int], classes: int, width: int) -> float:
    """Of one picture on its way through the network."""
    channels, height, image_width = shape
    pixels = height * image_width
    return pixels * (9 * channels * width + 9 * width * 2 * width / 4 + 2 * width * classes / 16)


def to_safetensors(
    network: SmallNetwork, shape: Sequence[int], classes: Sequence[str], said: Mapping[str, str]
) -> bytes:
    """The weights, with what `from_safetensors` needs and what is `said` of them as metadata; always the same bytes."""
    width = network.first.out_channels
    own = {"shape": json.dumps(list(shape)), "classes": json.dumps(list(classes)), "width": str(width)}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    return _sorted(safetensors.torch.save(tensors, {**said, **own}))


def _sorted(data: bytes) -> bytes:
    """With its header in the order of names, which the library draws anew each time: files are known by their hash."""
    length = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # the numbers stay aligned
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def from_safetensors(data: bytes) -> tuple[SmallNetwork, dict[str, str]]:
    """The network, ready to judge, and its metadata. Raises ValueError or KeyError where it is not such a file."""
    length = int.from_bytes(data[:8], "little")
    if length > METADATA_BYTES:
        raise ValueError("the metadata are too long")
    said: dict[str, str] = json.loads(data[8 : 8 + length])["__metadata__"]
    tensors = safetensors.torch.load(data)
    classes = len(json.loads(said["classes"]))
    network = SmallNetwork(
        json.loads(said["shape"]), classes, int(said["width"]), tensors["mean"], tensors["deviation"]
    )
    network.load_state_dict(tensors)
    return network.eval(), said
