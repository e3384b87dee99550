"""What `reconstruct` may be asked, and that it is refused by name before anything is queued."""

from __future__ import annotations

import json

import pytest

from frontdesk.bots.parsing import validate
from frontdesk.queue.errors import InvalidRequestError
from frontdesk.queue.kind_reconstruct import RECONSTRUCT, ReconstructParams
from frontdesk.queue.reconstruct_config import MAX_CONFIG, read_config


def test_without_a_configuration_the_quality_decides() -> None:
    """Better qualities train longer, and their learning rates fall until their own last step."""
    draft, best = read_config(None, "draft"), read_config("  ", "best")
    assert draft.n_iters < best.n_iters
    assert max(draft.reso) <= max(best.reso)
    for config in (draft, best):
        assert config.lr_sigma_decay_steps == config.lr_sh_decay_steps == config.n_iters


def test_names_are_those_of_plenoxels() -> None:
    """Its own files' way of writing `reso` is understood, as a list or as text."""
    text = '{"reso": "[[64, 64, 64], [96, 96, 96]]", "upsamp_every": 500, "lambda_tv": 1e-5, "background_nlayers": 0}'
    assert read_config(text).reso == (64, 96)
    assert read_config('{"reso": [[64, 64, 64], [96, 96, 96]]}').reso == (64, 96)
    assert read_config('{"reso": [64, 96]}').reso == (64, 96)
    assert read_config('{"n_iters": 700}').lr_sh_decay_steps == 700
    assert read_config('{"n_iters": 700, "lr_sh_decay_steps": 900}').lr_sh_decay_steps == 900


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"n_iters": 0}, "n_iters must be a whole number of 1 to 200000."),
        ({"lr_sh": 50}, "lr_sh must be 1e-05 to 10."),
        ({"lambda_tv": -1}, "lambda_tv must be 0 to 10."),
        ({"lambda_tv": "much"}, "lambda_tv must be 0 to 10."),
        ({"tv_decay": 0}, "tv_decay must be more than 0, at most 1."),
        ({"background_nlayers": 64}, "background_nlayers must be 0."),
        ({"reso": [512]}, "reso must be a list of 1 to 4 levels, each of 16 to 160."),
        ({"reso": []}, "reso must be a list of 1 to 4 levels, each of 16 to 160."),
        ({"reso": 64}, "reso must be a list of 1 to 4 levels, each of 16 to 160."),
        ({"reso": [64, 32]}, "reso: must rise from level to level."),
        ({"reso": [[64, 64, 32]]}, "reso must have three equal sides at each level, such as [64, 64, 64]."),
        ({"reso": "64 and 96"}, "reso must be a list such as [[64, 64, 64], [96, 96, 96]]."),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(given: dict[str, object], sentence: str) -> None:
    """And with what would be right."""
    with pytest.raises(ValueError, match=r"\w") as refusal:
        read_config(json.dumps(given))
    assert str(refusal.value) == sentence


def test_everything_wrong_is_named_at_once() -> None:
    """An unknown key, too: nothing is silently left out."""
    with pytest.raises(ValueError, match=r"lr_sh must be .* 'learning_rate' is not known; known are reso,"):
        read_config('{"learning_rate": 1, "lr_sh": 50}')


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{n_iters: 5}", "is not JSON: Expecting property name enclosed in double quotes at character 2."),
        ("[1]", 'must be a JSON object such as {"n_iters": 2000}.'),
        ('{"lr_sh": NaN}', "NaN is not a number."),
        ('{"lr_sh": 1, "lr_sh": 2}', "names a key twice."),
        ("[" * 3000, "is nested too deeply."),
        (" " * MAX_CONFIG + "{}", f"has {MAX_CONFIG + 2:,} characters; {MAX_CONFIG:,} is the most."),
    ],
)
def test_what_is_not_an_object_is_refused(text: str, sentence: str) -> None:
    """With the reason."""
    with pytest.raises(ValueError, match=r"\w") as refusal:
        read_config(text)
    assert str(refusal.value) == sentence


def test_a_front_end_hears_the_same_sentences() -> None:
    """The request is refused before it is queued."""
    with pytest.raises(InvalidRequestError) as refusal:
        validate(RECONSTRUCT, {"scene": "still_life", "config": '{"lr_sh": 50}'})
    assert str(refusal.value) == "config: lr_sh must be 1e-05 to 10."
    params = validate(RECONSTRUCT, {"scene": "still_life", "quality": "draft", "config": '{"n_iters": 9}'})
    assert isinstance(params, ReconstructParams)
    assert params.settings().n_iters == 9
