"""The dashboard and the alerts: every metric they name is one that a real scrape shows, with the labels they use."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from queueing import KEEP, job, submit
from redis.asyncio import Redis
from running import kind
from scraping import Figures, scraped_when
from test_worker_metrics import UUID, nvml

from frontdesk.bots.metrics import BotMetrics
from frontdesk.queue.broker import Broker
from frontdesk.queue.kinds import Registry
from frontdesk.queue.metrics import exposed, neighbour
from frontdesk.worker.metrics import WorkerMetrics
from frontdesk.worker.nvml import gpu_shown

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))
ALERTS: dict[str, Any] = yaml.safe_load((DEPLOY / "alerts.yml").read_text("utf-8"))
PROMETHEUS: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
RULES: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
TARGETS = [(panel["title"], target) for panel in PANELS for target in panel.get("targets", ())]
EXPRESSIONS = [rule["expr"] for rule in RULES] + [target["expr"] for _, target in TARGETS]

OWN_OF_PROMETHEUS = {"up"}
ITS_LABELS = {"job", "instance", "le"}  # `le` is a histogram's, the others are added to whatever is scraped
WORDS = {"and", "or", "unless", "bool"}
FUNCTIONS = {"sum", "max", "min", "rate", "increase", "changes", "histogram_quantile", "time"}
GROUPING = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")


def names(expression: str) -> set[str]:
    """The metrics in a PromQL expression: every word that is no function, operator, label, duration or number."""
    bare = GROUPING.sub(" ", re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", expression))
    found = re.findall(r"\b([a-zA-Z_:][a-zA-Z0-9_:]*)\b(\s*\()?", bare)
    assert {word for word, call in found if call} - WORDS <= FUNCTIONS
    return {word for word, call in found if not call} - WORDS - FUNCTIONS


def labels(expression: str) -> set[str]:
    """The labels by which it selects or groups."""
    grouped = {name.strip() for group in GROUPING.findall(expression) for name in group.split(",")}
    return grouped | set(re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", expression))


@pytest.fixture
async def everything(redis: Redis) -> Figures:
    """A scrape of a process that is a bot and a worker with a GPU at once."""
    registry, kinds = CollectorRegistry(), Registry([kind()])
    BotMetrics(registry, kinds).commanded("discord", "help")
    WorkerMetrics(registry, kinds).loaded("tiny (float32)", 1.0)
    await submit(Broker(redis, keep=KEEP), job())
    with gpu_shown(registry, UUID, nvml):
        async with exposed("127.0.0.1:0", registry, redis) as address:
            assert address is not None
            return await scraped_when(address, lambda figures: figures.value("frontdesk_redis_up") == 1)


def test_the_reader_of_expressions_finds_what_is_wrong() -> None:
    """Otherwise the rules below would hold for anything."""
    assert names('sum by (lane) (rate(a_total{x="b"}[5m])) / on (lane) c > 2 * 60 unless d') == {"a_total", "c", "d"}
    assert labels('sum by (lane, le) (rate(a{x="b", y!~"c"}[5m])) and on (z) d') == {"lane", "le", "x", "y", "z"}
    with pytest.raises(AssertionError):
        names("summe(a)")


async def test_every_metric_that_is_named_exists(everything: Figures) -> None:
    """A panel for a metric that nobody exposes stays empty, and an alert on it never fires."""
    assert len(EXPRESSIONS) > 40
    unknown = {name: one for one in EXPRESSIONS for name in names(one) - everything.names - OWN_OF_PROMETHEUS}
    assert unknown == {}


async def test_every_label_that_is_used_is_one_of_its_metrics(everything: Figures) -> None:
    """Grouping by a label that is not there makes one group of all."""
    known = {sample.name: set(sample.labels) for sample in everything}
    wrong = {
        expression: unknown
        for expression in EXPRESSIONS
        if (unknown := labels(expression) - ITS_LABELS - set().union(*(known.get(n, set()) for n in names(expression))))
    }
    assert wrong == {}


async def test_every_metric_of_ours_is_shown_and_explained(everything: Figures) -> None:
    """On the dashboard or in an alert, and in the document."""
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    ours = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in everything.names if name[:10] == "frontdesk_"}
    ours -= {name.removesuffix("_total") for name in ours if name.endswith("_total")}
    used = {re.sub(r"_(bucket|sum|count)$", "", name) for one in EXPRESSIONS for name in names(one)}
    assert [name for name in ours if f"`{name}`" not in text] == []
    assert ours - used == {"frontdesk_queue_read_timestamp_seconds"}
    documented = set(re.findall(r"`(frontdesk_\w+)`", text))
    assert documented - ours == set()


# The dashboard


def test_the_dashboard_can_be_imported() -> None:
    """Into any Grafana: it asks for the data source, and depends on no id of the one it was made in."""
    assert DASHBOARD["id"] is None
    assert DASHBOARD["title"] == "Frontdesk"
    (variable,) = DASHBOARD["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")
    sources = [panel["datasource"] for panel in PANELS if panel["type"] != "row"]
    sources += [target["datasource"] for _, target in TARGETS]
    assert [source for source in sources if source != {"type": "prometheus", "uid": "${datasource}"}] == []


def test_the_dashboard_has_its_rows() -> None:
    """From the queue to the GPU, each with panels below it."""
    rows = [panel for panel in PANELS if panel["type"] == "row"]
    assert [row["title"] for row in rows] == ["Queue", "Workers", "Delivery", "GPU"]
    ends = [row["gridPos"]["y"] for row in rows[1:]] + [10_000]
    for row, end in zip(rows, ends, strict=True):
        assert [p for p in PANELS if p["type"] != "row" and row["gridPos"]["y"] < p["gridPos"]["y"] < end]


def test_no_panel_lies_on_another() -> None:
    """Each has an id and a place of its own within 24 columns, a title, a unit, and a legend for each line."""
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    taken = [cell for panel in PANELS for cell in cells(panel["gridPos"])]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24
    for panel in PANELS:
        if panel["type"] != "row":
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert panel["targets"]
    assert [title for title, target in TARGETS if not target["legendFormat"]] == []


def cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    columns, lines = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
    return itertools.product(columns, lines)


# Alerts


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_how_bad(rule: dict[str, Any]) -> None:
    """Only what Prometheus knows; not at the first moment; a severity, and words for whoever is called."""
    assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Frontdesk[A-Za-z]+", rule["alert"])
    assert re.fullmatch(r"[1-9]\d*[smh]", rule["for"])
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"].keys() == {"summary", "description"}
    assert rule["expr"].count("(") == rule["expr"].count(")")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_names_only_labels_that_its_expression_keeps(rule: dict[str, Any]) -> None:
    """`{{ $labels.lane }}` would be empty where the expression sums the lanes away."""
    used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    kept = GROUPING.search(rule["expr"])
    aggregated = re.match(r"(sum|max|min)\b", rule["expr"])
    if aggregated:
        assert used <= ({name.strip() for name in kept[1].split(",")} if kept else set())
    else:
        assert used <= ITS_LABELS


def test_what_was_asked_for_is_watched() -> None:
    """The states that a person must know of."""
    assert {rule["alert"].removeprefix("Frontdesk") for rule in RULES} >= {
        "RedisDown", "NoWorkers", "QueueNotMoving", "OldestWaitTooLong", "PromisedWaitsBroken", "DeliveriesFail",
        "WorkerRestarts", "GpuMemoryNearlyFull",
    }  # fmt: skip


# Prometheus


def test_the_example_scrapes_the_ports_that_up_gives() -> None:
    """Bots first, then workers; the rules are found beside it, and look for the names that it gives."""
    assert [DEPLOY / name for name in PROMETHEUS["rule_files"]] == [DEPLOY / "alerts.yml"]
    jobs = {one["job_name"]: one["static_configs"][0]["targets"] for one in PROMETHEUS["scrape_configs"]}
    assert jobs.keys() == {"frontdesk-bots", "frontdesk-workers"}
    first = jobs["frontdesk-bots"][0]
    listed = [target for targets in jobs.values() for target in targets]
    assert listed == [neighbour(first, number) for number in range(5)]
    for expression in EXPRESSIONS:
        for asked in re.findall(r'job=~?"([^"]*)"', expression):
            assert [name for name in jobs if re.fullmatch(asked, name)]
