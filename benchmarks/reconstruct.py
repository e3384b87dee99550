"""How good a reconstruction of the example scene is after how many seconds.

    python benchmarks/reconstruct.py [--quality draft good] [--seconds 60] [--threads 2] [--config JSON] [--folder DIR]

Trains on the example scene (40 pictures of 100x100) and prints PSNR and SSIM on two held-out pictures over time, then
on all eight, with the seconds of the wall's clock, those of the processor, and those that other processes had of it.
`--folder` keeps the pictures, the mesh as PLY, the grid as npz and three frames of the flight around it.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import psutil
import torch
from machine import machine
from PIL import Image

from frontdesk.queue.reconstruct_config import SECONDS, Quality, read_config
from frontdesk.worker.example_scenes import EXAMPLES, write_example
from frontdesk.worker.posed_images import PosedImages, read_posed_images
from frontdesk.worker.radiance_mesh import fly_around, grid_file, surface
from frontdesk.worker.radiance_training import Hooks, Trained, train


def pictures(scene: str, folder: Path) -> PosedImages:
    began = time.perf_counter()
    write_example(scene, folder)
    rendered = time.perf_counter()
    images = read_posed_images(folder)
    print(f"{scene}: rendered in {rendered - began:.2f} s, read in {time.perf_counter() - rendered:.2f} s")
    return images


def run(images: PosedImages, quality: Quality, seconds: float, config: str | None, every: float) -> Trained:
    began, used = time.perf_counter(), time.process_time()
    others = psutil.cpu_times()
    trained = train(
        images,
        read_config(config, quality),
        device=torch.device("cuda" if torch.cuda.is_available() else "cpu"),
        time_limit=seconds,
        hooks=Hooks(progress=lambda fraction, note: print(f"{time.perf_counter() - began:6.1f} s  {note}", flush=True),
                    look_every=every),
    )  # fmt: skip
    took, processor = time.perf_counter() - began, time.process_time() - used
    now = psutil.cpu_times()
    busy = sum(getattr(now, part) - getattr(others, part) for part in ("user", "nice", "system"))
    final = trained.final
    print(
        f"{quality}, {seconds:.0f} s: {final.psnr:.2f} dB, SSIM {final.ssim:.4f} on {len(images.held_out)} held-out "
        f"pictures; {final.steps} steps in {took:.1f} s ({processor:.1f} s of the processor, others had "
        f"{busy - processor:.1f} s); {trained.field.grid.rows:,} points; "
        f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB",
        flush=True,
    )
    return trained


def products(trained: Trained, folder: Path) -> None:
    began = time.perf_counter()
    body = surface(trained.field)
    meshed = time.perf_counter()
    packed = grid_file(trained.field)
    saved = time.perf_counter()
    frames = list(fly_around(trained.field, frames=12))
    flown = time.perf_counter()
    print(
        f"mesh: {len(body.faces):,} faces in {meshed - began:.2f} s; npz: {len(packed) / 1e6:.1f} MB in "
        f"{saved - meshed:.2f} s; flight: {(flown - saved) / len(frames):.2f} s a frame of 200x200"
    )
    (folder / "grid.npz").write_bytes(packed)
    rows = [f"{x} {y} {z} {r} {g} {b}" for (x, y, z), (r, g, b, _) in zip(body.vertices, body.colours, strict=True)]
    faces = [f"3 {a} {b} {c}" for a, b, c in body.faces]
    head = ["ply", "format ascii 1.0", f"element vertex {len(rows)}", *(f"property float {axis}" for axis in "xyz")]
    head += [f"property uchar {colour}" for colour in ("red", "green", "blue")]
    head += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    (folder / "mesh.ply").write_text("\n".join([*head, *rows, *faces, ""]))
    for number in (0, 4, 8):
        Image.fromarray(frames[number]).save(folder / f"frame_{number}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", choices=EXAMPLES, default="still_life")
    parser.add_argument("--quality", nargs="+", choices=SECONDS, default=["draft", "good"])
    parser.add_argument("--seconds", type=float, help="in place of the qualities' own")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two looks at held-out pictures")
    parser.add_argument("--config")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{machine()}; {options.threads} threads; load before: {psutil.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        images = pictures(options.scene, folder)
        for quality in options.quality:
            trained = run(images, quality, options.seconds or SECONDS[quality], options.config, options.every)
        products(trained, folder)


if __name__ == "__main__":
    main()
