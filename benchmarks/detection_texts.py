"""The texts that `docs/detection.md` is measured on: passages by people, and passages by the default model.

    python benchmarks/detection_texts.py FOLDER [--gensim WHEEL]

makes FOLDER/human/*.txt, FOLDER/machine-0.7/*.txt and FOLDER/machine-1.0/*.txt, one passage a file; none of it belongs
into the repository. People's passages come from the test data inside gensim's wheel, fetched with
`pip download --no-deps gensim`: Australian news stories of 2001 and 2002 (the Lee corpora) and English Wikipedia
(CC BY-SA). The model is asked, through its chat template, to continue the openings of some of them. What is there
already is not written again. Takes about ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import bz2
import html
import random
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch

from frontdesk.queue.settings import Settings, load_settings
from frontdesk.worker.models import LanguageModel, ModelStore

DATA = "gensim/test/test_data/"
NEWS = ("lee_background.cor", "lee.cor")
WIKI = "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"

PASSAGE = 2600  # characters: about 550 tokens
SHORTEST = 250
PASSAGES_AN_ARTICLE = 6
OPENING = 30  # words of a person's passage that the model continues
OPENINGS = {"news": 48, "wiki": 80}
TOGETHER = 32
SEED = 20_251


class Setting(NamedTuple):
    """Which openings are continued, at which temperature, with how many tokens at most."""

    temperature: float
    openings: slice
    tokens: int


# Long texts are slow to write, and only few are needed to see what length changes.
SETTINGS = (
    Setting(0.7, slice(0, 64), tokens=540),
    Setting(0.7, slice(64, 128), tokens=320),
    Setting(1.0, slice(0, 64), tokens=320),
)


def news(wheel: zipfile.ZipFile) -> list[str]:
    """One story a line."""
    lines = [line.strip() for name in NEWS for line in wheel.read(DATA + name).decode("latin-1").splitlines()]
    return [line for line in dict.fromkeys(lines) if len(line) >= SHORTEST]


def encyclopedia(wheel: zipfile.ZipFile) -> list[str]:
    """Passages of running prose, at most a few an article, so that no article dominates."""
    passages = []
    for markup in _articles(bz2.decompress(wheel.read(DATA + WIKI)).decode()):
        prose = "\n".join(paragraph for paragraph in _plain(markup) if _is_prose(paragraph))
        cuts = [prose[start : start + PASSAGE] for start in range(0, len(prose), PASSAGE)]
        # A cut falls inside a sentence: begin with the next one.
        whole = [cut if number == 0 else cut.partition(". ")[2] for number, cut in enumerate(cuts)]
        passages += [cut.strip() for cut in whole if len(cut) > PASSAGE // 2][:PASSAGES_AN_ARTICLE]
    return passages


def _articles(dump: str) -> Iterator[str]:
    """The wiki text of every page that is no redirection."""
    for found in re.finditer(r"<text[^>]*>(.*?)</text>", dump, re.DOTALL):
        if not found[1].startswith("#REDIRECT"):
            yield html.unescape(found[1])


def _plain(markup: str) -> list[str]:
    text = re.sub(r"<!--.*?-->|<ref[^>]*/>|<ref.*?</ref>", "", markup, flags=re.DOTALL)
    for _ in range(4):  # templates and tables nest
        text = re.sub(r"\{\{[^{}]*\}\}|\{\|[^{}]*\|\}", "", text)
    text = re.sub(r"\[\[(?:[^\[\]|:]*\|)?([^\[\]|:]*)\]\]", r"\1", text)
    text = re.sub(r"\[https?://\S+ ([^\]]*)\]", r"\1", text)
    text = re.sub(r" {2,}", " ", text.replace("'''", "").replace("''", ""))
    return [line.strip() for line in text.splitlines()]


def _is_prose(paragraph: str) -> bool:
    return (
        len(paragraph) > SHORTEST and paragraph[0].isalnum() and not re.search(r"[\[\]{}|<>=&]|\(\s*[,;)]", paragraph)
    )


def continued(model: LanguageModel, openings: list[str], setting: Setting) -> Iterator[str]:
    """What the model writes after each opening, without the opening where it repeats that."""
    tokenizer, generator = model.tokenizer, cast("Any", model.model)
    tokenizer.padding_side = "left"
    torch.manual_seed(SEED)
    for start in range(0, len(openings), TOGETHER):
        group = openings[start : start + TOGETHER]
        ask = "Continue this text for about 400 words, in the same style:\n\n{}"
        prompts = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": ask.format(opening)}], tokenize=False, add_generation_prompt=True
            )
            for opening in group
        ]
        inputs = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False).to(model.device)
        with torch.inference_mode():
            written = generator.generate(
                **inputs,
                max_new_tokens=setting.tokens,
                do_sample=True,
                temperature=setting.temperature,
                top_p=1.0,
                top_k=0,
            )
        texts = tokenizer.batch_decode(written[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        yield from (without_opening(text, opening) for text, opening in zip(texts, group, strict=True))


def without_opening(text: str, opening: str) -> str:
    """Cut the words that both begin with: those are a person's."""
    words, same = text.split(" "), 0
    for ours, theirs in zip(words, opening.split(" "), strict=False):
        if ours != theirs:
            break
        same += 1
    return " ".join(words[same:]).strip()


def main() -> None:
    arguments = _arguments()
    folder: Path = arguments.folder
    wheel = arguments.gensim or _downloaded(folder)
    with zipfile.ZipFile(wheel) as archive:
        human = {"news": news(archive), "wiki": encyclopedia(archive)}
    for source, passages in human.items():
        for number, passage in enumerate(passages):
            _write(folder / "human" / f"{source}-{number:04}.txt", passage[:PASSAGE])
        print(f"{len(passages)} passages from {source}", flush=True)
    chosen = random.Random(SEED)  # noqa: S311 -- a reproducible choice, no secret
    passages = [text for source, count in OPENINGS.items() for text in chosen.sample(human[source], count)]
    openings = [" ".join(passage.split()[:OPENING]) for passage in passages]
    store = ModelStore(Settings.model_validate(load_settings().model_dump() | {"quantisation": "none"}))
    for setting in SETTINGS:
        _write_setting(folder / f"machine-{setting.temperature}", store.get(), openings, setting)


def _write_setting(folder: Path, model: LanguageModel, openings: list[str], setting: Setting) -> None:
    numbers = range(len(openings))[setting.openings]
    if any((folder / f"{number:04}.txt").exists() for number in numbers):
        return
    began = time.monotonic()
    for number, text in zip(numbers, continued(model, openings[setting.openings], setting), strict=True):
        if len(text) >= SHORTEST:
            _write(folder / f"{number:04}.txt", text)
    print(f"{setting}: {time.monotonic() - began:.0f} s", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gensim", type=Path, help="the wheel, if it is here already")
    return parser.parse_args()


def _downloaded(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), "gensim"]
    subprocess.run(command, check=True)
    return next(folder.glob("gensim-*.whl"))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
