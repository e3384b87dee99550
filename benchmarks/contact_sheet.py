"""All families of the modeller on one picture, and the time and size of each on standard output.

python benchmarks/contact_sheet.py SHEET.png [--only chair,table] [--detail good] [--seed 0] [--pixels 220] [--turn 30]
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from time import perf_counter

from PIL import Image, ImageDraw
from plain_render import picture

from frontdesk.worker.families import FAMILIES
from frontdesk.worker.solids import Look

LABEL = 16


def main() -> None:
    options = _options()
    names = options.only.split(",") if options.only else list(FAMILIES)
    columns = min(len(names), options.columns or math.ceil(math.sqrt(len(names) * 1.6)))
    rows = math.ceil(len(names) / columns)
    sheet = Image.new("RGB", (columns * options.pixels, rows * (options.pixels + LABEL)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, name in enumerate(names):
        started = perf_counter()
        parts = FAMILIES[name].build(Look(detail=options.detail, seed=options.seed))
        faces = sum(part.solid.num_tri() for part in parts)
        took = perf_counter() - started
        print(f"{name:18} {len(parts):3} parts {faces:7,} faces {took * 1000:7.1f} ms")
        x, y = number % columns * options.pixels, number // columns * (options.pixels + LABEL)
        sheet.paste(Image.fromarray(picture(parts, options.pixels, options.turn)), (x, y))
        draw.text((x + 6, y + options.pixels + 1), name, fill="black")
    sheet.save(options.sheet)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--only", default="", help="names of families, with commas between")
    parser.add_argument("--detail", default="good", choices=["draft", "good", "best"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pixels", type=int, default=220)
    parser.add_argument("--columns", type=int, default=0)
    parser.add_argument("--turn", type=float, default=30.0, help="degrees of the camera about the object")
    return parser.parse_args()


if __name__ == "__main__":
    main()
