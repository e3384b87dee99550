"""The HTTP door against its own OpenAPI, by Schemathesis: whatever is sent, what comes back is as described."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import hypothesis
import schemathesis
from doorway import BOSS, doorway
from redis.asyncio import Redis
from schemathesis.specs.openapi.checks import positive_data_acceptance

EXAMPLES = 8  # of each operation


async def test_every_operation_answers_as_it_is_described(redis: Redis, tmp_path: Path) -> None:
    """No 5xx; statuses, formats and bodies of the description; what does not fit is refused; no entry without a key."""
    async with doorway(redis, tmp_path, tries=1_000_000) as way:
        key = await way.key(BOSS, "submit", "read", "cancel", "admin")
        async with way.client(BOSS) as client:
            body = {"kind": "echo", "params": {"text": "x"}}
            job_id = (await client.post("/jobs", json=body)).json()["id"]
            await client.get(f"/jobs/{job_id}/wait")
        tried = await asyncio.to_thread(try_all, way.url, key, {"job_id": job_id, "name": "echo"})
    assert set(tried) == {
        "POST /jobs", "GET /jobs", "GET /jobs/{job_id}", "DELETE /jobs/{job_id}", "POST /jobs/{job_id}/cancel",
        "GET /jobs/{job_id}/wait", "GET /jobs/{job_id}/events", "GET /jobs/{job_id}/artifacts",
        "GET /jobs/{job_id}/artifacts/{name}", "GET /kinds", "GET /kinds/{name}", "GET /queue",
    }  # fmt: skip


def try_all(url: str, key: str, known: dict[str, str]) -> list[str]:
    """Every operation, with names that are there in half of the cases."""
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json")
    schema.config.update(base_url=f"{url}/api/v1")
    headers = {"Authorization": f"Bearer {key}"}
    tried = []
    for found in schema.get_all_operations():
        operation: Any = cast(Any, found).ok()
        tried.append(f"{operation.method.upper()} {operation.path}")
        count = 0

        @hypothesis.settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
                             suppress_health_check=list(hypothesis.HealthCheck))  # fmt: skip
        @hypothesis.given(case=operation.as_strategy())
        def try_one(case: Any) -> None:
            nonlocal count
            count += 1
            if count % 2:
                case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
            # A text of white space alone, or a webhook that is no address, fits its schema and is refused all the same.
            refusing = [positive_data_acceptance] if case.operation.method == "post" else []
            case.call_and_validate(headers=headers, excluded_checks=refusing)

        try_one()
    return tried
