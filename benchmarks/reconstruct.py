"""How good a reconstruction of an example scene is after how many seconds.

    python benchmarks/reconstruct.py [--quality draft good] [--seconds 60] [--threads 2] [--config JSON] [--folder DIR]
                                     [--processor] [--picture docs/reconstruct_curve.png]

Trains on the example's 40 pictures of 100x100 and looks at two held-out pictures on the way and at all eight in the
end: a table of seconds, PSNR and SSIM, and a picture of it. Looks count as seconds, as they do for a worker. Beside the
wall's clock it tells what the processor did, and what other processes had of it: on a busy machine `--processor` counts
the processor's seconds over the threads instead, which is an estimate of two cores that do nothing else. `--folder`
keeps what is handed back: the fly-around, a still, the mesh and the grid.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded: threads that wait leave their core alone

import psutil
import torch
from machine import machine
from matplotlib.figure import Figure

from frontdesk.queue.reconstruct_config import SECONDS, Quality, read_config
from frontdesk.worker.animation import animated
from frontdesk.worker.example_scenes import EXAMPLES, write_example
from frontdesk.worker.glb import glb
from frontdesk.worker.meshes import Mesh, fitted, statistics
from frontdesk.worker.posed_images import PosedImages, read_posed_images
from frontdesk.worker.radiance_checkpoint import Score
from frontdesk.worker.radiance_flight import Orbit, fly_around
from frontdesk.worker.radiance_mesh import grid_file, surface
from frontdesk.worker.radiance_training import Hooks, Trained, train
from frontdesk.worker.turntable import png

TARGETS = {60: 22.5, 300: 25.0}  # dB on held-out pictures after so many seconds on two CPU cores
LOOKS = 20  # points of a curve


def stopwatch(threads: int, processor: bool) -> Callable[[], float]:
    """Seconds of the wall, or of the processor over the threads."""
    return (lambda: time.process_time() / threads) if processor else time.perf_counter


@dataclass(frozen=True)
class Run:
    quality: Quality
    trained: Trained

    @property
    def curve(self) -> list[Score]:
        return [*self.trained.scores, self.trained.final]


def pictures(scene: str, folder: Path) -> PosedImages:
    began = time.perf_counter()
    write_example(scene, folder)
    rendered = time.perf_counter()
    images = read_posed_images(folder)
    print(f"{scene}: rendered in {rendered - began:.2f} s, read in {time.perf_counter() - rendered:.2f} s")
    return images


def run(images: PosedImages, quality: Quality, seconds: float, config: str | None, clock: Callable[[], float]) -> Run:
    began, used, others = time.perf_counter(), time.process_time(), busy()
    gap = Gap()
    trained = train(
        images,
        read_config(config, quality),
        device=torch.device("cuda" if torch.cuda.is_available() else "cpu"),
        time_limit=seconds,
        hooks=Hooks(check=gap.check, clock=clock, look_every=seconds / LOOKS),
    )
    took, processor, final = time.perf_counter() - began, time.process_time() - used, trained.final
    print(f"\n{quality}: {final.psnr:.2f} dB, SSIM {final.ssim:.4f} on {len(images.held_out)} held-out pictures")
    print(f"{final.seconds:.1f} s counted, {took:.1f} s by the wall, {processor:.1f} s of the processor")
    print(f"others had {max(0.0, busy() - others - processor):.1f} s of it; longest gap {gap.longest:.2f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{final.steps:,} steps, {trained.field.grid.rows:,} points, peak {peak:.2f} GB")
    return Run(quality, trained)


class Gap:
    """The longest time between two calls of `check`."""

    def __init__(self) -> None:
        self._last, self.longest = time.perf_counter(), 0.0

    def check(self) -> None:
        now = time.perf_counter()
        self.longest, self._last = max(self.longest, now - self._last), now


def busy() -> float:
    """Seconds of all processors that somebody used since the start of the machine."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def table(one: Run) -> None:
    print(f"\n| seconds ({one.quality}) | steps | PSNR in dB | SSIM |\n| --- | --- | --- | --- |")
    for score in one.trained.scores:
        print(f"| {score.seconds:.0f} | {score.steps:,} | {score.psnr:.2f} | {score.ssim:.3f} |")
    final = one.trained.final
    print(f"| {final.seconds:.0f}, all held-out pictures | {final.steps:,} | {final.psnr:.2f} | {final.ssim:.3f} |")


def draw(runs: list[Run], path: Path) -> None:
    figure = Figure(figsize=(7, 4), dpi=110, layout="constrained")
    axes = figure.add_subplot(xlabel="seconds of training", ylabel="PSNR on held-out pictures in dB", xscale="log")
    for one in runs:
        axes.plot([s.seconds for s in one.curve[:-1]], [s.psnr for s in one.curve[:-1]], marker=".", label=one.quality)
        axes.plot(one.trained.final.seconds, one.trained.final.psnr, "k*", zorder=5)
    axes.plot([], [], "k*", label="in the end, all held-out pictures")
    axes.plot(list(TARGETS), list(TARGETS.values()), "rv", label="to be reached")
    ticks = [
        second for second in (3, 10, 30, 60, 120, 300, 900) if second <= 1.2 * max(r.curve[-1].seconds for r in runs)
    ]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)
    print(f"\n{path} is drawn")


def products(trained: Trained, images: PosedImages, folder: Path) -> None:
    began = time.perf_counter()
    body = surface(trained.field, images.train)
    mesh = fitted(Mesh(*body))
    meshed = time.perf_counter()
    packed = grid_file(trained.field)
    saved = time.perf_counter()
    orbit = Orbit.around(body)
    frames = list(fly_around(trained.field, orbit, frames=36, size=256))
    flown = time.perf_counter()
    gif = animated(frames)
    print(f"\nmesh: {len(mesh.faces):,} faces in {meshed - began:.2f} s, {statistics(mesh)}")
    print(f"npz: {len(packed) / 1e6:.1f} MB in {saved - meshed:.2f} s; flight: {flown - saved:.1f} s")
    print(f"GIF of {len(gif) / 1e6:.2f} MB in {time.perf_counter() - flown:.1f} s")
    (still,) = fly_around(trained.field, orbit, frames=1, size=512)
    for name, data in (("grid.npz", packed), ("mesh.glb", glb(mesh)), ("around.gif", gif), ("still.png", png(still))):
        (folder / name).write_bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", choices=EXAMPLES, default="still_life")
    parser.add_argument("--quality", nargs="+", choices=SECONDS, default=["draft", "good"])
    parser.add_argument("--seconds", type=float, help="in place of the qualities' own")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processor", action="store_true", help="count the processor's seconds over the threads")
    parser.add_argument("--config")
    parser.add_argument("--picture", type=Path, default=Path(__file__).parent.parent / "docs" / "reconstruct_curve.png")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{machine()}; {options.threads} threads; load before: {psutil.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        images = pictures(options.scene, folder)
        runs = []
        for quality in options.quality:
            clock = stopwatch(options.threads, options.processor)
            runs.append(run(images, quality, options.seconds or SECONDS[quality], options.config, clock))
            table(runs[-1])
        draw(runs, options.picture)
        products(runs[-1].trained, images, folder)


if __name__ == "__main__":
    main()
