"""The limits' file: what it means, and what is said of a mistake in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from frontdesk.ratelimit.limits import Limits, nameless, sentence
from frontdesk.ratelimit.policy import Decision, InFlight, Ledger, Rate, acquire

AMOUNT = "must be a number above 0, or false for no limit"
COUNT = "must be a whole number above 0, or false for no limit"
TOGETHER = "burst and per_hour go together: set both, or both to false"
TYPO = "there is no such limit; look for a typing error"


def load(tmp_path: Path, text: str) -> Limits:
    path = tmp_path / "limits.toml"
    path.write_text(text, "utf-8")
    return Limits.load(path)


def numbers(limits: Limits, tier: str, kind: str) -> dict[str, float]:
    """What a request meets, by rule: the burst or the limit, and `hourly`."""
    found: dict[str, float] = {}
    for rule in limits.rules(tier=tier, kind=kind, user="discord:1", cost=1.0):
        found[rule.name] = rule.burst if isinstance(rule, Rate) else rule.limit
        if rule.name == "rate" and isinstance(rule, Rate):
            found["hourly"] = round(rule.per_second * 3600, 6)
    return found


def test_shipped_defaults() -> None:
    """Without a file a member has 5 at once, 30 an hour, 3 in flight and 1800 s a day; trusted three times that."""
    limits = Limits.load()
    assert numbers(limits, "member", "score") == {"rate": 5, "hourly": 30, "in_flight": 3, "daily": 1800}
    assert numbers(limits, "trusted", "score") == {"rate": 15, "hourly": 90, "in_flight": 9, "daily": 5400}


def test_admins_have_no_rate_and_no_budget() -> None:
    """The only limit of admins is 50 jobs in flight."""
    assert numbers(Limits.load(), "admin", "score") == {"in_flight": 50}


def test_file_goes_over_the_defaults_key_by_key(tmp_path: Path) -> None:
    """What a file leaves out stays as shipped."""
    limits = load(tmp_path, "[member.kinds.default]\nper_hour = 12.5")
    assert numbers(limits, "member", "score") == {"rate": 5, "hourly": 12.5, "in_flight": 3, "daily": 1800}
    assert limits.tiers["trusted"] == Limits.load().tiers["trusted"]


def test_kind_takes_what_it_leaves_out_from_default(tmp_path: Path) -> None:
    """A kind's own table needs only what differs."""
    limits = load(tmp_path, "[member.kinds.write]\nin_flight = 1\n[member.kinds.default]\nburst = 7")
    assert numbers(limits, "member", "write") == {"rate": 7, "hourly": 30, "in_flight": 1, "daily": 1800}
    assert numbers(limits, "member", "score") == {"rate": 7, "hourly": 30, "in_flight": 3, "daily": 1800}


def test_added_tier_takes_what_it_leaves_out_from_member(tmp_path: Path) -> None:
    """Forgetting a limit of a new tier does not lift it: the member's holds, with the file's changes to it."""
    limits = load(tmp_path, "[guest]\ndaily_seconds = 60\n[member.kinds.default]\nburst = 2")
    assert numbers(limits, "guest", "score") == {"rate": 2, "hourly": 30, "in_flight": 3, "daily": 60}


def test_false_lifts_a_limit(tmp_path: Path) -> None:
    """`false` is no limit."""
    limits = load(tmp_path, "[member]\ndaily_seconds = false\n[member.kinds.default]\nin_flight = false")
    assert numbers(limits, "member", "score") == {"rate": 5, "hourly": 30}


def test_users_and_kinds_do_not_share(tmp_path: Path) -> None:
    """Each user has their own; each kind too, but for the daily budget, which all kinds draw from."""
    limits = Limits.load()

    def keys(kind: str, user: str) -> set[str]:
        return {rule.key for rule in limits.rules(tier="member", kind=kind, user=user, cost=1.0)}

    assert keys("score", "discord:1").isdisjoint(keys("score", "telegram:1"))
    assert keys("score", "discord:1") & keys("write", "discord:1") == {f"fd:limit:daily:{nameless('discord:1')}"}
    assert all(key.startswith("fd:limit:") for key in keys("score", "discord:1"))


def test_daily_budget_counts_device_seconds() -> None:
    """The budget is charged with the job's cost, and comes back in the course of a day."""
    [budget] = [
        rule for rule in Limits.load().rules(tier="member", kind="score", user="u", cost=42.0) if rule.name == "daily"
    ]
    assert isinstance(budget, Rate)
    assert budget.cost == 42.0
    assert budget.burst / budget.per_second == pytest.approx(86400)


def test_unknown_tier() -> None:
    """A tier that the file does not have is an error that lists those it has."""
    with pytest.raises(ValueError, match=r"no tier called 'vip'\. Known: admin, member, trusted"):
        Limits.load().rules(tier="vip", kind="score", user="u", cost=1.0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[member.kinds.score]\nburst = -1", "[member.kinds.score] burst: " + COUNT),
        ("[member.kinds.score]\nburst = 2.5", "[member.kinds.score] burst: " + COUNT),
        ("[member.kinds.score]\nper_hour = true", "[member.kinds.score] per_hour: " + AMOUNT),
        ("[member.kinds.score]\nper_hour = inf", "[member.kinds.score] per_hour: " + AMOUNT),
        ("[member.kinds.score]\nin_flight = 0", "[member.kinds.score] in_flight: " + COUNT),
        ("[guest]\ndaily_seconds = 'much'", "[guest] daily_seconds: " + AMOUNT),
        ("[trusted.kinds.score]\nburst = false", "[trusted.kinds.score]: " + TOGETHER),
        ("[member.kinds.score]\nbrust = 3", "[member.kinds.score] brust: " + TYPO),
        ("[member]\ndayly_seconds = 3", "[member] dayly_seconds: " + TYPO),
        ("member = 3", "member: must be a table, [member]: a tier of people"),
        ("[member]\nkinds = 3", "[member] kinds: must hold a table for each kind, [member.kinds.default]"),
        ("[member.kinds]\nscore = 3", "[member] kinds: must hold a table for each kind, [member.kinds.default]"),
    ],
)  # fmt: skip
def test_mistakes_are_named(tmp_path: Path, text: str, problem: str) -> None:
    """A mistake stops the start with one line: the file, the table, the key, and what would be right."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the whole text is compared)
        load(tmp_path, text)
    assert str(caught.value) == f"{tmp_path / 'limits.toml'}, {problem}"


def test_broken_toml_is_said_with_its_line(tmp_path: Path) -> None:
    """A file that is not TOML is named, with the place of the mistake."""
    with pytest.raises(ValueError, match=r"limits\.toml is not valid TOML: .*line 2"):
        load(tmp_path, "[member]\nburst = = 1\n")


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(ValueError, match=r"nowhere\.toml cannot be read: No such file"):
        Limits.load(tmp_path / "nowhere.toml")


def test_refusals_in_words() -> None:
    """A refusal says which rule it was, without a time."""
    rules = Limits.load().rules(tier="member", kind="score", user="u", cost=300.0)

    def words(decision: Decision) -> str:
        return sentence(decision, "score", rules)

    assert words(Decision(False, "rate", 40.0)) == "You have asked for 'score' too often."
    assert words(Decision(False, "in_flight")) == "You already have 3 'score' jobs waiting or running."
    assert words(Decision(False, "daily", 900.0)) == "Your daily share of computing time is used up."
    alone = [InFlight("in_flight", "key", 1, 60.0)]
    assert (
        sentence(Decision(False, "in_flight"), "score", alone) == "You already have 1 'score' job waiting or running."
    )


def test_job_larger_than_the_budget_in_words() -> None:
    """A job that no waiting makes small enough is called too large."""
    rules = Limits.load().rules(tier="member", kind="score", user="u", cost=1801.0)
    decision, _ = acquire(Ledger(), 1.8e9, rules, "job")
    assert sentence(decision, "score", rules) == "This job is larger than your whole daily share of computing time."


def test_a_tier_names_its_people(tmp_path: Path) -> None:
    """Who is named is of that tier; everybody else is a member."""
    path = tmp_path / "limits.toml"
    path.write_text('[trusted]\npeople = ["discord:1"]\n')
    limits = Limits.load(path)
    assert (limits.tier_of("discord:1"), limits.tier_of("telegram:1")) == ("trusted", "member")
    path.write_text('[trusted]\npeople = ["somebody"]\n')
    with pytest.raises(ValueError, match="people"):
        Limits.load(path)
