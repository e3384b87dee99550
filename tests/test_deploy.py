"""The files that put Frontdesk on a server. No engine runs here: published schemas and parsers judge the files, and the
rules that matter are read from them. (Valkey's part runs for real in test_valkey_users.py.)"""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from frontdesk.queue.settings import Settings, load_settings

ROOT = Path(__file__).parent.parent
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
OURS = ("discord", "telegram", "worker")


def checked(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a checker that lies beside this Python."""
    program = Path(sys.executable).with_name(str(command[0]))
    return subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=100, check=False)


def against_schema(file: Path) -> subprocess.CompletedProcess[str]:
    return checked("check-jsonschema", "--builtin-schema", "vendor.compose-spec", file)


# -- docker-compose.yml


def test_the_compose_file_fits_the_published_schema(tmp_path: Path) -> None:
    """Every key is one that the specification knows; and the check does check."""
    good = against_schema(COMPOSE)
    assert good.returncode == 0, good.stdout + good.stderr
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(COMPOSE.read_text("utf-8").replace("stop_grace_period", "stop_grace_time"), "utf-8")
    assert against_schema(wrong).returncode != 0


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_the_least_rights_and_comes_back(name: str) -> None:
    """Nothing to write to but its volumes, no capability, no way to more rights; restarted, and watched."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]


def test_nothing_is_reachable_from_outside() -> None:
    """Bots and workers call out. Valkey sits on a network without a way out, and no port is published."""
    document = yaml.safe_load(COMPOSE.read_text("utf-8"))
    assert document["networks"]["inside"]["internal"] is True
    assert SERVICES["valkey"]["networks"] == ["inside"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == []
    assert {tuple(SERVICES[name]["networks"]) for name in OURS} == {("inside", "outside")}


def test_services_start_after_a_healthy_valkey_and_run_what_exists() -> None:
    """Each runs a command of `frontdesk` in the target of its sort, and is watched by the check of its sort."""
    targets = re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    for name in OURS:
        service = SERVICES[name]
        assert service["depends_on"] == {"valkey": {"condition": "service_healthy"}}
        assert service["command"] == [name]
        assert service["build"]["target"] == ("worker" if name == "worker" else "bots")
        assert service["build"]["target"] in targets
        assert service["healthcheck"]["test"][:4] == ["CMD", "python", "-m", "frontdesk.queue.health"]
        assert service["healthcheck"]["test"][4:] == (["worker"] if name == "worker" else [])
    command_line = (ROOT / "bots" / "cli.py").read_text("utf-8")
    assert [name for name in OURS if f'command("{name}"' not in command_line] == []


def test_the_worker_has_a_gpu_and_time_to_end_its_job() -> None:
    """One device is reserved; the engine waits longer than the worker's own grace."""
    worker = SERVICES["worker"]
    (device,) = worker["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert int(worker["stop_grace_period"].removesuffix("s")) > Settings.model_fields["stop_grace"].default


def test_images_and_volumes_are_named_exactly() -> None:
    """A pinned release of Valkey 9; each volume is declared; each mounted file is in the tree and read-only."""
    document = yaml.safe_load(COMPOSE.read_text("utf-8"))
    assert re.fullmatch(r"valkey/valkey:9\.\d+\.\d+-alpine", SERVICES["valkey"]["image"])
    for service in SERVICES.values():
        for mount in service.get("volumes", ()):
            source, _, target = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", mount).partition(":")
            if source.startswith("."):
                assert (ROOT / source).is_file()
                assert target.endswith(":ro")
            else:
                assert source in document["volumes"]


def test_bots_and_worker_share_the_files() -> None:
    """One volume at one place, which the settings name and the image gives to its user; a bucket can be named instead.
    The key of the links is the bots' alone."""
    for name in OURS:
        assert "files:/files" in SERVICES[name]["volumes"]
        assert SERVICES[name]["environment"]["FRONTDESK_ARTIFACTS_URL"] == "${ARTIFACTS_URL:-/files}"
        assert ("FRONTDESK_FILES_KEY" in SERVICES[name]["environment"]) is (name != "worker")
    assert "mkdir /files /history && chown 10001:10001 /data /files /history" in " ".join(instructions(DOCKERFILE.read_text("utf-8")))


def test_every_variable_is_known_and_explained() -> None:
    """FRONTDESK_* are settings, and whatever the file takes from .env stands in the example of it."""
    for service in SERVICES.values():
        names = [name for name in service.get("environment", ()) if name.startswith("FRONTDESK_")]
        assert {name.removeprefix("FRONTDESK_").lower() for name in names} <= {*Settings.model_fields, "config"}
    taken = set(re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE.read_text("utf-8"))) | {"COMPOSE_PROFILES"}
    example = (ROOT / "deploy" / "env.example").read_text("utf-8")
    assert set(re.findall(r"^(\w+)=", example, re.MULTILINE)) == taken
    assert re.findall(r"^(\w*(?:PASSWORD|TOKEN))=(.+)$", example, re.MULTILINE) == []


def test_the_images_hold_only_what_is_copied() -> None:
    """Each source of a COPY is in the tree and let through by .dockerignore, which holds back all else."""
    allowed = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in allowed
    copied = [
        source
        for line in instructions(DOCKERFILE.read_text("utf-8"))
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    assert {f"!{source}" for source in copied} == {line for line in allowed if line.startswith("!")}
    assert [source for source in copied if not (ROOT / source).exists()] == []


# -- Dockerfile


def instructions(text: str) -> list[str]:
    """The Dockerfile's instructions, continued lines joined and comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return [line.strip() for line in re.sub(r"\\\n\s*", "", lines).splitlines() if line.strip()]


def stages() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in instructions(DOCKERFILE.read_text("utf-8")):
        if match := re.fullmatch(r"FROM \S+ AS (\S+)", line):
            found[match[1]] = []
        elif found:
            list(found.values())[-1].append(line)
    return found


def test_the_dockerfile_parses_and_follows_the_usual_advice(tmp_path: Path) -> None:
    """hadolint reads it like the builder does; and the check does check."""
    good = checked("hadolint", DOCKERFILE)
    assert good.returncode == 0, good.stdout + good.stderr
    wrong = tmp_path / "Dockerfile"
    wrong.write_text(DOCKERFILE.read_text("utf-8").replace("COPY --from", "COPYY --from"), "utf-8")
    assert checked("hadolint", wrong).returncode != 0


@pytest.mark.parametrize("target", ["bots", "worker"])
def test_each_image_runs_frontdesk_as_nobody_special(target: str) -> None:
    """A numeric user other than root, one entry point, a health check."""
    lines = stages()[target]
    assert lines.index("USER 10001:10001") > max(n for n, line in enumerate(lines) if line.startswith(("RUN", "COPY")))
    assert 'ENTRYPOINT ["frontdesk"]' in lines
    assert any("frontdesk.queue.health" in line for line in lines if line.startswith("HEALTHCHECK"))


def test_what_is_installed_is_pinned() -> None:
    """The base image by its release, and every package by constraints.txt."""
    text = DOCKERFILE.read_text("utf-8")
    assert re.search(r"^ARG PYTHON=3\.12\.\d+-slim-\w+$", text, re.MULTILINE)
    assert "FROM python:${PYTHON} AS base" in text
    installs = [words for line in instructions(text) for words in re.findall(r"pip install ([^&;]*)", line)]
    assert len(installs) == 8
    assert [i for i in installs if "--constraint constraints.txt" not in i and "--no-index --no-deps" not in i] == []


def test_the_bots_image_has_no_torch() -> None:
    """Its packages come from the extra `bots` alone."""
    assert "torch" not in " ".join(stages()["build-bots"] + stages()["bots"]).lower()
    assert "COPY --from=build-bots /opt/frontdesk /opt/frontdesk" in stages()["bots"]
    assert "ARG TORCH=cpu" in stages()["build-worker"]


# -- Settings and the unit


def test_the_example_file_holds_every_setting_with_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it lies there it changes nothing; uncommented, it is valid."""
    text = (ROOT / "deploy" / "frontdesk.example.toml").read_text("utf-8")
    assert tomllib.loads(text) == {}
    uncommented = re.sub(r"^# (?=[a-z_]+ = )", "", text, flags=re.MULTILINE)
    written = tomllib.loads(uncommented)
    assert written.keys() == Settings.model_fields.keys()
    defaults = {name: info.default for name, info in Settings.model_fields.items() if name != "data_dir"}
    for name, default in defaults.items():
        if default is not None:
            assert (
                type(default)(written[name]) if isinstance(default, frozenset | tuple) else written[name]
            ) == default
    del written["discord_token"]  # a sentence there, so that nobody's scanner takes it for one
    (tmp_path / "frontdesk.toml").write_text(re.sub(r"^discord_token.*$", "", uncommented, flags=re.MULTILINE), "utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings().telegram_webhook_url == written["telegram_webhook_url"]


def test_the_systemd_unit_starts_a_worker_and_lets_it_end() -> None:
    """It restarts, but not after a wrong setting; a job gets its grace, and only the worker is told to stop."""
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep the case of names
    unit.read(ROOT / "deploy" / "frontdesk-worker.service", "utf-8")
    service = unit["Service"]
    assert shlex.split(service["ExecStart"])[-2:] == ["%h/frontdesk/.venv/bin/frontdesk", "worker"]
    assert service["Restart"] == "always"
    assert service["RestartPreventExitStatus"] == "2"
    assert int(service["TimeoutStopSec"]) > Settings.model_fields["stop_grace"].default
    assert service["KillMode"] == "mixed"
    assert service["OOMPolicy"] == "continue"  # one process of several is replaced, not the unit stopped
    assert service["ExecReload"].split()[1:] == ["-HUP", "$MAINPID"]
