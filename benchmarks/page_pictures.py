"""Makes the pictures of the web page for README.md: real objects of the modeller, on the real page, in a real browser.

    python benchmarks/page_pictures.py [--folder DIR] [--into docs/pictures]

Writes `gallery-light.png`, `gallery-dark.png`, `object-light.png`, `object-dark.png`, `gallery-phone.png` and
`leaderboard-light.png`. `--folder` keeps what was sculpted for the next time. Needs Chromium.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the page and the browser are started as the tests do it
from browsing import DESK, PHONE, Hosted, Seen, chromium, hosted, looking, sign_in
from playwright.sync_api import Browser
from redis.asyncio import Redis
from showpieces import Exhibits

from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.kind_sculpt import SculptParams, SculptResult
from frontdesk.queue.settings import Settings
from frontdesk.worker.runner import Bench
from frontdesk.worker.sculpt_runner import SculptRunner

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
PROMPTS = [
    "a red car in front of a white house", "a pink teddy bear on a blue chair", "three green bottles in a row",
    "a castle on a hill", "a black cat on a red sofa", "a yellow submarine", "a golden crown on a small round table",
    "a snowman beside a fir tree", "a wooden sailing ship", "a blue teapot and two cups", "a lighthouse",
    "a steam locomotive",
]  # fmt: skip
TURNED = "a pink teddy bear on a blue chair"
STORY = (
    "It begins at low tide. The keeper counts the gulls, then the ships, and writes both down in the same column. "
    "By evening nobody could say which of them had come home."
)
COLOURS = 200  # of a picture's palette


class Keeping:
    """A run that keeps its files in a store."""

    job_id = "picture"

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    def progress(self, fraction: float | None = None, *, text: str | None = None, note: str | None = None) -> None:
        pass

    def check(self) -> None:
        pass

    def show(self, data: bytes, *, name: str, media_type: str) -> None:
        pass

    def keep(self, data: bytes | Path, *, name: str, media_type: str) -> Artifact:
        return self._store.put(data, name=name, media_type=media_type)


def sculpted(folder: Path) -> list[SculptResult]:
    """Each prompt's object; those that the folder has already are not made again."""
    settings = Settings(data_dir=folder, device="cpu")
    context = Keeping(ArtifactStore.of(settings))
    runner, made = SculptRunner(Bench(SimpleNamespace(settings=settings), folder)), list[SculptResult]()  # type: ignore[arg-type]
    for number, prompt in enumerate(PROMPTS):
        kept = folder / f"result-{number}.json"
        if not kept.exists():
            runner.load()
            result = runner.run(SculptParams(prompt=prompt, seed=number), context)  # type: ignore[arg-type]
            kept.write_text(result.model_dump_json(), "utf-8")
        made.append(SculptResult.model_validate_json(kept.read_text("utf-8")))
    return made


def photographed(browser: Browser, site: Hosted, into: Path) -> None:
    def shot(seen: Seen, name: str, *, height: int | None = None) -> None:
        seen.page.wait_for_load_state("networkidle")
        path = into / f"{name}.png"
        seen.page.screenshot(path=path, timeout=120_000)  # the software renderer takes its time
        with Image.open(path) as picture:
            shown = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        shown.save(path, optimize=True)
        print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")

    for scheme in ("light", "dark"):
        with looking(browser, size=DESK, scheme=scheme, still=True, viewer=True) as (_, seen):
            sign_in(seen.page, site, "ada")
            seen.page.goto(f"{site.base}/gallery")
            shot(seen, f"gallery-{scheme}")
            seen.page.goto(f"{site.base}/objects/{site.ids['turned']}")
            seen.until("document.querySelector('model-viewer').loaded", 120)
            seen.page.wait_for_timeout(3000)  # the poster fades
            shot(seen, f"object-{scheme}")
            if scheme == "light":
                seen.page.goto(f"{site.base}/leaderboard")
                shot(seen, "leaderboard-light")
    with looking(browser, size=PHONE, scheme="light", still=True) as (_, seen):
        seen.page.goto(f"{site.base}/gallery")
        shot(seen, "gallery-phone")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--into", type=Path, default=PICTURES)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as fresh:
        folder = arguments.folder or Path(fresh) / "objects"
        folder.mkdir(parents=True, exist_ok=True)
        made = sculpted(folder)

        async def exhibit(exhibits: Exhibits, redis: Redis) -> None:
            kept = ArtifactStore.of(Settings(data_dir=folder))
            for rate, curve in (
                (0.1, [0.72, 0.86, 0.92, 0.943, 0.958, 0.966, 0.969, 0.975]),
                (0.05, [0.61, 0.8, 0.88, 0.915, 0.93, 0.942, 0.951, 0.958]),
                (0.2, [0.68, 0.83, 0.87, 0.902, 0.925, 0.94, 0.944, 0.947]),
                (0.02, [0.32, 0.55, 0.7, 0.79, 0.845, 0.87, 0.889, 0.9]),
            ):
                await exhibits.training(redis, rate, curve, owner="ada" if rate == 0.05 else "bob")
            for number, result in enumerate(made):
                for each in (result.preview, result.still, result.file, *result.smaller):
                    exhibits.store.put(kept.read(each), name=each.name, media_type=each.media_type)
                asked = SculptParams.model_validate({"prompt": result.prompt, "seed": result.seed}).model_dump()
                if number == 5:
                    await exhibits.text("The first lines of a story about a lighthouse keeper", STORY, owner="bob")
                name = "turned" if result.prompt == TURNED else ""
                await exhibits.add("sculpt", asked, result, owner="ada" if name else "bob", name=name)

        with (
            EmbeddedServer(Path(fresh)) as server,
            chromium() as browser,
            hosted(server.url, Path(fresh) / "desk", exhibit) as site,
        ):
            arguments.into.mkdir(parents=True, exist_ok=True)
            photographed(browser, site, arguments.into)


if __name__ == "__main__":
    main()
