"""Thresholds, what a stated false-positive rate promises, and the command that measures them."""

from __future__ import annotations

import json
import random
from datetime import date
from pathlib import Path

import pytest
import tiny_models
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.settings import Settings
from frontdesk.worker import calibrate
from frontdesk.worker.calibration import (
    FEWEST,
    RATES,
    Calibration,
    CalibrationFile,
    Calibrations,
    Statistic,
    at_lengths,
    auroc,
    thresholds,
    user_file,
)

LONG = "This text has more than one hundred single bytes in it, and so more than forty tokens of the tiny model. "


def drawn(mean: float, count: int, seed: int = 0) -> list[float]:
    source = random.Random(seed)  # noqa: S311 -- reproducible numbers, no secret
    return [source.gauss(mean, 1) for _ in range(count)]


def calibration(
    human: dict[int, list[float]], machine: dict[int, list[float]], statistic: Statistic = "curvature"
) -> Calibration:
    return Calibration(
        model="tiny",
        precision="bfloat16",
        statistic=statistic,
        made=date(2026, 11, 22),
        texts="numbers",
        lengths=at_lengths(human, machine, statistic),
    )


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=300, unique=True))
def test_no_more_than_the_rate_lies_beyond_a_threshold(values: list[float]) -> None:
    """On either side, and a rate that the number of texts cannot show has no threshold."""
    for upper in (True, False):
        for rate, threshold in zip(RATES, thresholds(values, upper=upper), strict=True):
            if threshold is None:
                assert rate * (len(values) + 1) < 1
                continue
            rounding = 1e-4
            beyond = sum(value > threshold + rounding if upper else value < threshold - rounding for value in values)
            assert beyond <= rate * len(values)


def test_new_human_texts_are_called_machine_at_the_stated_rate() -> None:
    """Averaged over calibrations, at 5 %: not more, and not far less."""
    shares = []
    for seed in range(40):
        made = calibration({100: drawn(-3, 199, seed)}, {100: drawn(-1, 199, seed + 1000)})
        fresh = drawn(-3, 500, seed + 2000)
        shares.append(sum(made.judge(value, 100, 0.05, 0.05).verdict == "machine" for value in fresh) / len(fresh))
    assert 0.04 < sum(shares) / len(shares) < 0.058


@pytest.mark.parametrize("statistic", ["curvature", "binoculars"])
def test_verdicts_need_one_side_and_not_the_other(statistic: Statistic) -> None:
    """Clearly beyond one group is a verdict; between the two, or where both overlap, it is unclear."""
    sign = 1 if statistic == "curvature" else -1
    apart = calibration(
        {100: [sign * value for value in drawn(-6, 300)]}, {100: [sign * value for value in drawn(6, 300)]}, statistic
    )
    assert apart.judge(sign * 9, 100, 0.01, 0.01).verdict == "machine"
    assert apart.judge(sign * -9, 100, 0.01, 0.01).verdict == "human"
    same = calibration(
        {100: [sign * value for value in drawn(0, 300)]}, {100: [sign * value for value in drawn(0, 300)]}, statistic
    )
    assert same.judge(0.0, 100, 0.01, 0.01).verdict == "unclear"
    assert same.judge(0.0, 100, 0.01, 0.01).reason is None


def test_where_the_groups_are_far_apart_the_middle_is_unclear() -> None:
    """A value that no text of either origin had: both rules hold, so neither is believed."""
    apart = calibration({100: drawn(-6, 300)}, {100: drawn(6, 300)})
    assert apart.judge(0.0, 100, 0.01, 0.01).verdict == "unclear"


def test_a_rate_that_the_texts_cannot_show_is_refused() -> None:
    """One in a thousand cannot be learned from a hundred texts, and the reason says how many there were."""
    made = calibration({100: drawn(-6, 100)}, {100: drawn(6, 100)})
    judged = made.judge(50.0, 100, 0.001, 0.001)
    assert (judged.verdict, judged.reason) == (
        "unclear",
        "the calibration has 100 human texts, too few for a rate of 0.1%",
    )
    assert made.judge(50.0, 100, 0.01, 0.01).verdict == "machine"


def test_short_texts_get_no_verdict() -> None:
    """Below the shortest calibrated length the reason names both numbers."""
    made = calibration({60: drawn(-6, 100)}, {60: drawn(6, 100)})
    judged = made.judge(50.0, 59, 0.05, 0.05)
    assert judged.verdict == "unclear"
    assert judged.reason == "the text is too short, 59 of at least 60 tokens"


def test_lengths_with_too_few_texts_for_the_rate_do_not_lend_theirs_to_shorter_ones() -> None:
    """With enough texts at 200 tokens only, 100 tokens are too short at that rate, and enough at a looser one."""
    made = calibration({100: drawn(-6, 50), 200: drawn(-6, 300)}, {100: drawn(6, 50), 200: drawn(6, 300)})
    assert made.judge(50.0, 150, 0.01, 0.01).reason == "the text is too short, 150 of at least 200 tokens"
    assert made.judge(50.0, 150, 0.1, 0.1).verdict == "machine"


def test_thresholds_run_between_lengths_and_rates() -> None:
    """Halfway in the logarithm is halfway between the thresholds, and beyond the longest length nothing changes."""
    made = calibration({100: [0.0] * 300, 400: [4.0] * 300}, {100: [9.0] * 300, 400: [9.0] * 300})

    def turning_point(tokens: int, rate: float) -> float:
        steps = [step / 100 for step in range(-100, 1000)]
        return next(value for value in steps if made.judge(value, tokens, rate, rate).verdict != "human")

    assert turning_point(100, 0.05) == pytest.approx(0.0, abs=0.02)
    assert turning_point(200, 0.05) == pytest.approx(2.0, abs=0.02)
    assert turning_point(400, 0.05) == pytest.approx(4.0, abs=0.02)
    assert turning_point(5000, 0.05) == pytest.approx(4.0, abs=0.02)
    rates = calibration({100: drawn(-6, 999)}, {100: [99.0] * 999})
    steps = [step / 100 for step in range(-900, 0)]
    strict, between, loose = (
        next(value for value in steps if rates.judge(value, 100, rate, rate).verdict == "unclear")
        for rate in (0.01, 0.014, 0.02)
    )
    assert loose <= between <= strict
    assert loose < strict


def test_auroc_is_the_chance_to_rank_a_pair_right() -> None:
    """1 where all machine values are higher, one half where they are the same."""
    assert auroc([1, 2, 3], [4, 5]) == 1.0
    assert auroc([1, 2], [1, 2]) == 0.5
    assert auroc([1, 3], [2]) == 0.5
    assert auroc([4, 5], [1, 2], "binoculars") == 1.0


def test_a_calibration_of_ones_own_wins_over_the_shipped_one(tmp_path: Path) -> None:
    """And one for another model or precision is not used at all."""
    own = calibration({100: drawn(-6, 100)}, {100: drawn(6, 100)})
    mine = own.model_copy(update={"model": "SmolLM2-135M-Instruct", "texts": "mine"})
    shipped = Calibrations.read(tmp_path, mine.model, mine.precision).find("curvature")
    assert shipped is not None
    assert shipped.texts != "mine"
    calibrate.write([mine], user_file(tmp_path, mine.model, mine.precision))
    assert Calibrations.read(tmp_path, mine.model, mine.precision).find("curvature") == mine
    assert Calibrations.read(tmp_path, mine.model, "float16").find("curvature") is None
    assert Calibrations.read(tmp_path, "another", mine.precision).find("curvature") is None
    assert Calibrations.read(tmp_path, mine.model, mine.precision).find("binoculars", "observer") is None


@pytest.mark.parametrize("content", [b"", b"{}", b'{"calibrations": [{"model": 1}]}', b"\xff\xfe", b"[NaN]"])
def test_a_broken_calibration_stops_with_one_line(content: bytes, tmp_path: Path) -> None:
    """It names the file; the worker does not start with thresholds that nobody meant."""
    file = user_file(tmp_path, "tiny", "bfloat16")
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"tiny-bfloat16\.json") as caught:
        Calibrations.read(tmp_path, "tiny", "bfloat16")
    assert "\n" not in str(caught.value)


def test_a_models_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    """Slashes in a name do not become folders."""
    assert user_file(tmp_path, "../../etc/x", "int8").parent == tmp_path / "calibrations"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Texts of two origins, and the settings of a tiny model."""
    monkeypatch.setenv("FRONTDESK_MODEL", str(tiny_models.save(tmp_path / "tiny")))
    monkeypatch.setenv("FRONTDESK_DTYPE", "float32")
    monkeypatch.setenv("FRONTDESK_DEVICE", "cpu")
    monkeypatch.setenv("FRONTDESK_DATA_DIR", str(tmp_path / "data"))
    for origin in ("human", "machine"):
        (tmp_path / origin).mkdir()
        for number in range(FEWEST):
            (tmp_path / origin / f"{number}.txt").write_text(f"{origin} {number}: {LONG}", "utf-8")
    return tmp_path / "human", tmp_path / "machine"


def run(human: Path, machine: Path, *more: str) -> int:
    return calibrate.main(["--human", str(human), "--machine", str(machine), *more])


def test_the_command_writes_what_the_worker_reads(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By default into the data folder, under the model's name and precision, and it shows the figures."""
    assert run(*folders) == 0
    found = Calibrations.read(tmp_path / "data", "tiny", "float32").find("curvature")
    assert found is not None
    assert {at.tokens: (at.n_human, at.n_machine) for at in found.lengths} == dict.fromkeys((40, 60, 100), (20, 20))
    assert found.judge(1e6, 100, 0.05, 0.05).verdict == "machine"
    shown = capsys.readouterr().out
    assert "curvature of tiny (float32)" in shown
    assert "too few texts" in shown  # 20 of them show no rate of 1 %
    assert not list((tmp_path / "data" / "calibrations").glob("*.part"))


def test_with_an_observer_both_statistics_are_measured(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Binoculars is kept under both models' names."""
    monkeypatch.setenv("FRONTDESK_OBSERVER_MODEL", str(tiny_models.save(tmp_path / "base", seed=1)))
    assert run(*folders, "--out", str(tmp_path / "two.json"), "--texts", "my texts") == 0
    written = CalibrationFile.model_validate_json((tmp_path / "two.json").read_text())
    entries = [(entry.statistic, entry.observer, entry.texts) for entry in written.calibrations]
    assert entries == [("curvature", None, "my texts"), ("binoculars", "base", "my texts")]


def test_what_is_wrong_is_said_in_one_line(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No folder, too few texts, texts that are too short, or not text at all: exit code 2 and a sentence."""
    monkeypatch.setenv("COLUMNS", "1000")
    human, machine = folders

    def complaint(*arguments: str | Path) -> str:
        human, machine, *more = arguments
        assert run(Path(human), Path(machine), *map(str, more)) == 2
        said = capsys.readouterr().err.strip()
        assert "\n" not in said
        return said

    assert complaint(tmp_path / "nowhere", machine).endswith("nowhere is not a folder.")
    (tmp_path / "empty").mkdir()
    assert "holds 0 files called *.txt; at least 20" in complaint(human, tmp_path / "empty")
    assert "/proc/nothing" in complaint(human, machine, "--out", "/proc/nothing/here.json")
    (human / "0.txt").write_bytes(b"\xff\xfe\x00")
    assert "0.txt is not UTF-8 text." in complaint(human, machine)
    for file in machine.iterdir():
        file.write_text("short")
    (human / "0.txt").write_text(LONG)
    assert "Too few texts are long enough" in complaint(human, machine)
    monkeypatch.setenv("FRONTDESK_MODEL", "/no/such/model")
    assert "/no/such/model" in complaint(human, machine)


def test_an_old_calibration_survives_a_failed_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is all there or not there."""
    target = tmp_path / "c.json"
    calibrate.write([], target)
    monkeypatch.setattr(CalibrationFile, "model_dump_json", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        calibrate.write([], target)
    assert json.loads(target.read_text()) == {"calibrations": []}


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_the_shipped_file_is_for_the_default_model(tmp_path: Path, precision: str) -> None:
    """As it comes, the default model has thresholds at the default rates for all lengths, in both precisions that
    are chosen by themselves."""
    shipped = Calibrations.read(tmp_path, "SmolLM2-135M-Instruct", precision).find("curvature")
    assert shipped is not None
    assert len(shipped.texts) > 50
    settings = Settings()
    for tokens in (50, 200, 1000):
        rates = (settings.false_positive_rate, settings.false_negative_rate)
        assert shipped.judge(50.0, tokens, *rates).verdict == "machine"
        assert shipped.judge(-50.0, tokens, *rates).verdict == "human"
