"""Makes the pictures of README.md: what the kinds really hand back, through the whole system.

    python benchmarks/pictures.py [--folder DIR] [--kinds sculpt train reconstruct] [--quick]

Writes `docs/pictures/`: previews and stills as users get them, and a sheet of sculpted stills. `--quick` reconstructs a
draft.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from client import Client, running_system
from PIL import Image

from frontdesk.queue import logs
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.kinds import Registry
from frontdesk.queue.parameters import Value
from frontdesk.queue.settings import Settings

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
TURNED = "two small red chairs beside a round wooden table"
SHEET = [
    "a red car in front of a white house",
    "a pink teddy bear on a blue chair",
    "three green bottles in a row",
    "a castle on a hill",
    "a black cat on a red sofa",
    "a yellow submarine",
    "a golden crown on a small round table",
    "a snowman beside a fir tree",
]
COLUMNS, SIDE = 4, 256  # of the sheet, and of each still in it in pixels


async def pictures(client: Client, store: ArtifactStore, kind: str, raw: Mapping[str, Value], into: Path) -> list[Path]:
    """Ask for it, and copy the pictures that come back, as `KIND-NAME`, in the order of the answer."""
    outcome = await client.ask(kind, raw)
    assert outcome.status == "done", outcome
    result = Registry.installed()[kind].result.model_validate(outcome.result)
    made: list[Path] = []
    for one in result.attachments():
        if one.role != "file":
            fetched = store.fetch(one.artifact, into)
            made.append(fetched.replace(into / f"{kind}-{one.role}-{len(made)}{fetched.suffix}"))
    return made


def sheet(stills: Sequence[Path], target: Path) -> None:
    """Stills side by side, on one background."""
    rows = -(-len(stills) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * SIDE, rows * SIDE), "white")
    for place, still in enumerate(stills):
        with Image.open(still) as picture:
            small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        whole.paste(small, (place % COLUMNS * SIDE, place // COLUMNS * SIDE))
    whole.quantize(256).save(target, optimize=True)


async def sculpted_sheet(client: Client, store: ArtifactStore, work: Path) -> None:
    stills: list[Path] = []
    for number, prompt in enumerate(SHEET):
        made = await pictures(client, store, "sculpt", {"prompt": prompt}, work / str(number))
        stills += [path for path in made if "-still-" in path.name][:1]
    sheet(stills, PICTURES / "sculpt-sheet.png")


def named(made: Sequence[Path], into: Path) -> Iterator[Path]:
    """Moves pictures to where README.md looks for them."""
    for path in made:
        if "-preview-" in path.name:  # stills show nothing more
            yield Path(shutil.copyfile(path, into / path.name))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=None, help="keeps the converted model")
    parser.add_argument("--kinds", nargs="+", default=["sculpt", "train", "reconstruct"])
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    logs.configure("json", "error")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as fresh:
        folder, work = arguments.folder or Path(fresh), Path(fresh) / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        store = ArtifactStore.of(Settings(data_dir=folder))
        requests: list[tuple[str, dict[str, Value]]] = [
            ("sculpt", {"prompt": TURNED, "quality": "good"}),
            ("train", {"dataset": "digits", "epochs": 15}),
            ("reconstruct", {"quality": "draft" if arguments.quick else "good"}),
        ]
        async with running_system(folder, {"FRONTDESK_LANES": "long"}) as (client, _):
            if "sculpt" in arguments.kinds:
                await sculpted_sheet(client, store, work)
            for kind, raw in requests:
                if kind not in arguments.kinds:
                    continue
                for path in named(await pictures(client, store, kind, raw, work / kind), PICTURES):
                    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    asyncio.run(main())
