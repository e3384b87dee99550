"""JSON schemas (2020-12) of requests, from the declarations of the kinds."""

from __future__ import annotations

import json
from typing import Any

from frontdesk.gallery.api_views import NewJob
from frontdesk.queue.kinds import AnyKind, Registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def request_body(kinds: Registry) -> dict[str, Any]:
    """What POST /jobs takes, for the OpenAPI: JSON, or a form with it and a kind's files."""
    plain = [_request(kind) for kind in kinds.values() if not any(file.required for file in kind.files)]
    content: dict[str, Any] = {"application/json": {"schema": {"oneOf": plain}}}
    if parts := {file.name: {"type": "string", "format": "binary"} for kind in kinds.values() for file in kind.files}:
        job = {"type": "string", "contentMediaType": "application/json", "description": "The request as JSON"}
        form = {"type": "object", "properties": {"job": job, **parts}, "required": ["job"]}
        content["multipart/form-data"] = {"schema": form}
    return {"requestBody": {"required": True, "content": content}}


def _request(kind: AnyKind) -> dict[str, Any]:
    schema = params_schema(kind)
    del schema["$schema"]
    if "$defs" in schema:  # whose references would lead elsewhere from here
        schema = {"type": "object"}
    of_all = NewJob.model_json_schema()
    properties = of_all["properties"] | {"kind": {"const": kind.name}, "params": schema}
    needed = ["kind", "params"] if schema.get("required") else ["kind"]
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


def params_schema(kind: AnyKind) -> dict[str, Any]:
    """The parameters without those that are files, which no JSON carries."""
    schema: dict[str, Any] = json.loads(json.dumps(kind.params.model_json_schema()))
    for parameter in kind.files:
        schema.get("properties", {}).pop(parameter.name, None)
        schema["required"] = [name for name in schema.get("required", []) if name != parameter.name]
    if not schema.get("required"):
        schema.pop("required", None)
    used = json.dumps(schema.get("properties", {}))
    schema["$defs"] = {name: node for name, node in schema.get("$defs", {}).items() if f"#/$defs/{name}" in used}
    if not schema["$defs"]:
        del schema["$defs"]
    return {"$schema": DIALECT} | schema
