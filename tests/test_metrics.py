"""What every process shows to Prometheus: an endpoint that is out of the way, and the queue as it is."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from queueing import DrivenEngine, job, leased_worker, submit, until, working
from redis.asyncio import Redis
from scraping import Figures, counted, scrape, scraped_when
from structlog.testing import capture_logs

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.metrics import QueueMetrics, endpoint, exposed, neighbour

HERE = "127.0.0.1:0"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


async def read(redis: Redis) -> Figures:
    """The queue's figures after one reading."""
    registry, queue = CollectorRegistry(), QueueMetrics()
    registry.register(queue)
    await queue.read(redis)
    return counted(registry)


# The endpoint


async def test_a_process_shows_itself_and_the_queue(redis: Redis, broker: Broker, registry: CollectorRegistry) -> None:
    """One scrape tells how much memory the process takes, and how many jobs wait."""
    await submit(broker, job())
    async with exposed(HERE, registry, redis) as address:
        assert address is not None
        figures = await scraped_when(address, lambda seen: seen.value("frontdesk_redis_up") == 1)
    assert figures.value("frontdesk_queue_waiting_jobs", lane="short") == 1
    assert figures.value("process_resident_memory_bytes") > 1_000_000
    assert "process_start_time_seconds" in figures.names


async def test_nothing_listens_unless_it_is_asked_for(redis: Redis, registry: CollectorRegistry) -> None:
    """Without the setting there is no port, no reading of the queue, and nothing to scrape."""
    async with exposed(None, registry, redis) as address:
        assert address is None
    assert list(registry.collect()) == []


async def test_the_endpoint_ends_with_its_block(registry: CollectorRegistry) -> None:
    """Then nobody answers there, and the port is free at once for who comes next."""
    async with endpoint(HERE, registry) as address:
        await scrape(address)
    with pytest.raises(OSError, match="refused"):
        await scrape(address)
    async with endpoint(address, registry) as again:
        assert again == address
        await scrape(again)


async def test_a_busy_port_is_one_readable_line(registry: CollectorRegistry) -> None:
    """It names the setting, the address and the reason."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigurationError) as caught:
            async with endpoint(listen, registry):
                pass
    assert (
        str(caught.value) == f"FRONTDESK_METRICS_LISTEN is {listen}, where one cannot listen: Address already in use."
    )


async def test_an_address_of_another_machine_is_one_readable_line(registry: CollectorRegistry) -> None:
    """192.0.2.1 is nobody's."""
    with pytest.raises(ConfigurationError, match=r"is 192\.0\.2\.1:9464, where one cannot listen: Cannot assign"):
        async with endpoint("192.0.2.1:9464", registry):
            pass


async def test_ipv6_addresses_are_taken_in_brackets(registry: CollectorRegistry) -> None:
    """As `Listen` has them."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with endpoint("[::1]:0", registry) as address:
        assert address.startswith("[::1]:")
        await scrape(address)


class Slow(Collector):
    """Takes as long as the test wants."""

    def __init__(self) -> None:
        self.scraped, self.go_on = threading.Event(), threading.Event()

    def collect(self) -> Iterator[Metric]:
        self.scraped.set()
        assert self.go_on.wait(10)
        yield GaugeMetricFamily("slow", "slow", 1)


async def test_a_scrape_does_not_hold_up_the_event_loop(registry: CollectorRegistry) -> None:
    """While one is answered, the loop goes on: here it is the loop that lets the scrape end."""
    slow = Slow()
    registry.register(slow)
    async with endpoint(HERE, registry) as address:
        scraping = asyncio.create_task(scrape(address))
        await asyncio.to_thread(slow.scraped.wait, 10)
        slow.go_on.set()
        assert (await scraping).value("slow") == 1


@pytest.mark.parametrize(
    ("listen", "number", "expected"),
    [("127.0.0.1:9464", 0, "127.0.0.1:9464"), ("[::]:9464", 2, "[::]:9466"), ("host:0", 3, "host:0"), (None, 1, None)],
)
def test_processes_of_one_machine_listen_side_by_side(listen: str | None, number: int, expected: str | None) -> None:
    """Each takes the port its number says; of port 0 the system finds one for each."""
    assert neighbour(listen, number) == expected


def test_ports_end_at_65535() -> None:
    """A worker of many GPUs beside the last port is told so."""
    with pytest.raises(ConfigurationError, match=r"FRONTDESK_METRICS_LISTEN is host:65535, which leaves no port"):
        neighbour("host:65535", 1)


# The queue


async def test_waiting_running_and_workers_are_told_by_lane(redis: Redis, broker: Broker) -> None:
    """A lane that only a worker knows is there too, with nobody waiting in it told as nothing."""
    engine = DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine, lanes={"short": 1})):
        ids = [job("ada"), job("bob"), job("eve")]
        for made in ids:
            await submit(broker, made)
        await engine.started.get()
        await until(lambda: redis.exists(keys.worker("w1")))
        figures = await read(redis)
        assert figures.value("frontdesk_queue_running_jobs", lane="short") == 1
        assert figures.value("frontdesk_queue_waiting_jobs", lane="short") == 2
        assert figures.value("frontdesk_queue_workers", lane="short") == 1
        assert figures.value("frontdesk_queue_oldest_wait_seconds", lane="short") >= 0


async def test_the_oldest_wait_counts_from_the_submission(redis: Redis, broker: Broker) -> None:
    """In seconds by the server's clock; 0 where nobody waits."""
    made = job()
    await submit(broker, made)
    seconds, _ = await redis.time()
    await redis.hset(keys.job(made.id), mapping={"submitted": (seconds - 100) * 1000})  # type: ignore[misc]
    waited = (await read(redis)).value("frontdesk_queue_oldest_wait_seconds", lane="short")
    assert 100 <= waited < 110
    await broker.cancel(made.id, None)
    assert (await read(redis)).value("frontdesk_queue_oldest_wait_seconds", lane="short") == 0


async def test_what_admins_stopped_is_told(redis: Redis, broker: Broker) -> None:
    """A paused lane, a drained worker that no longer counts, and jobs that were set aside."""
    made = job()
    await submit(broker, made)
    async with working(leased_worker(redis, DrivenEngine())):
        await until(lambda: redis.exists(keys.worker("w1")))
        before = await read(redis)
        await redis.sadd(keys.PAUSED, "short")  # type: ignore[misc]  # redis-py types it for both of its clients
        await redis.sadd(keys.DRAINED, "w1")  # type: ignore[misc]
        await redis.zadd(keys.ASIDE, {made.id: 1})
        await redis.set(keys.ASIDE_PAYLOAD + made.id, "what it asked for")
        after = await read(redis)
    assert before.value("frontdesk_queue_paused", lane="short") == 0
    assert after.value("frontdesk_queue_paused", lane="short") == 1
    assert before.value("frontdesk_queue_workers", lane="short") == 1
    assert after.value("frontdesk_queue_workers", lane="short") == 0
    assert (before.value("frontdesk_queue_aside_jobs"), after.value("frontdesk_queue_aside_jobs")) == (0, 1)


async def test_a_lane_without_a_worker_says_so(redis: Redis, broker: Broker) -> None:
    """0 and not nothing: an alert compares with it."""
    await submit(broker, job())
    assert (await read(redis)).value("frontdesk_queue_workers", lane="short") == 0


async def test_answers_that_nobody_fetched_are_counted_by_platform(redis: Redis, broker: Broker) -> None:
    """They grow while a bot is down."""
    made = job()
    await submit(broker, made)
    await broker.cancel(made.id, None)
    figures = await read(redis)
    assert figures.value("frontdesk_queue_undelivered_outcomes", platform="telegram") == 1
    assert figures.value("frontdesk_queue_undelivered_outcomes", platform="discord") == 0


async def test_promised_waits_are_counted_for_an_hour(redis: Redis) -> None:
    """Those that held and those that did not, as the queue's scripts note them."""
    seconds, _ = await redis.time()
    for minute, result in ((seconds // 60, "held"), (seconds // 60 - 1, "held"), (seconds // 60, "missed")):
        await redis.hincrby(keys.minute(minute), f"wait|{result}", 2)  # type: ignore[misc]
    figures = await read(redis)
    assert figures.value("frontdesk_queue_promised_waits", result="held") == 4
    assert figures.value("frontdesk_queue_promised_waits", result="missed") == 2


async def test_while_redis_is_away_old_figures_are_not_shown(redis: Redis, broker: Broker) -> None:
    """`frontdesk_redis_up` is 0 and stands alone, logged once; when Redis is back, so are the others."""
    await submit(broker, job())
    registry, queue = CollectorRegistry(), QueueMetrics()
    registry.register(queue)
    await queue.read(redis)
    async with Redis(unix_socket_path="/nobody/listens/here") as away:
        with capture_logs() as logs:
            await queue.read(away)
            await queue.read(away)
    assert counted(registry).names == {"frontdesk_redis_up"}
    assert counted(registry).value("frontdesk_redis_up") == 0
    assert [line["log_level"] for line in logs] == ["warning"]
    await queue.read(redis)
    assert counted(registry).value("frontdesk_redis_up") == 1
    assert counted(registry).value("frontdesk_queue_waiting_jobs", lane="short") == 1


async def test_what_cannot_be_read_does_not_end_the_reading(redis: Redis) -> None:
    """Somebody else wrote another type under our key: the figures are away, the process goes on."""
    await redis.set(keys.LANES, "not a set")
    assert (await read(redis)).value("frontdesk_redis_up") == 0
