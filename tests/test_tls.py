"""Redis over TLS: whose certificate is taken and whose is not."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from deskside import Deskside, deskside
from relays import relay
from servers import Server

from frontdesk.queue.connection import check, connected
from frontdesk.queue.errors import ConfigurationError


@dataclass(frozen=True)
class Certificate:
    """Signed by itself, for `localhost`."""

    file: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """What a server does with it."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.file, self.key)
        return context


def certify(folder: Path, name: str) -> Certificate:
    made = Certificate(folder / f"{name}.crt", folder / f"{name}.key")
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost",
            "-keyout", made.key, "-out", made.file,
        ],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Without the program that makes them a desk skips, and CI fails: there it would hide what is not tested."""
    if shutil.which("openssl") is None and not os.environ.get("CI"):
        pytest.skip("there is no openssl to make a certificate with")
    return certify(tmp_path_factory.mktemp("certificates"), "server")


@pytest.fixture
def server(valkey_program: Path, tmp_path: Path) -> Iterator[Server]:
    with Server(valkey_program, tmp_path / "server") as server:
        yield server


async def a_job(side: Deskside, text: str = "hello") -> None:
    """The whole way of one."""
    asked = await side.ask(text)
    assert await side.started() == asked
    side.engine.end(asked)
    await side.delivered(asked)


async def refusal(url: str) -> str:
    """The sentence with which a server is not taken."""
    async with connected(url) as redis:
        with pytest.raises(ConfigurationError) as caught:
            await check(redis)
    return str(caught.value)


async def test_a_job_passes_through_tls(server: Server, certificate: Certificate) -> None:
    """With the authority named in the address: commands, scripts, streams and channels."""
    async with (
        relay(server.port, certificate.context()) as way,
        deskside(f"rediss://localhost:{way.port}?ssl_ca_certs={certificate.file}") as side,
    ):
        await a_job(side)


async def test_only_the_right_certificate_is_taken(server: Server, certificate: Certificate, tmp_path: Path) -> None:
    """Not one of an unknown authority, nor one for another host, unless the address says so; the reason is told."""
    async with relay(server.port, certificate.context()) as way:
        known, other = f"ssl_ca_certs={certificate.file}", f"ssl_ca_certs={certify(tmp_path, 'other').file}"
        words = "Redis shows a certificate that is not taken"
        assert await refusal(f"rediss://localhost:{way.port}") == f"{words}: self-signed certificate."
        assert words in await refusal(f"rediss://localhost:{way.port}?{other}")
        assert "IP address mismatch" in await refusal(f"rediss://127.0.0.1:{way.port}?{known}")
        for trusting in (f"{known}&ssl_check_hostname=false", "ssl_cert_reqs=none"):
            async with connected(f"rediss://127.0.0.1:{way.port}?{trusting}") as redis:
                await check(redis)


async def test_a_certificate_of_our_own_is_shown(server: Server, certificate: Certificate, tmp_path: Path) -> None:
    """Where the server asks for one; without it, it lets nobody in."""
    ours, context = certify(tmp_path, "desk"), certificate.context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ours.file)
    async with relay(server.port, context) as way:
        url = f"rediss://localhost:{way.port}?ssl_ca_certs={certificate.file}"
        async with connected(f"{url}&ssl_certfile={ours.file}&ssl_keyfile={ours.key}") as redis:
            await check(redis)
        assert "Redis does not answer" in await refusal(url)


async def test_sentinels_and_their_servers_over_tls(
    valkey_program: Path, tmp_path: Path, certificate: Certificate
) -> None:
    """`sentinels://` speaks TLS with both. Runs where the server's program can (the embedded one cannot)."""
    tls: dict[str, str | list[str]] = {
        "port": "0", "tls-port": "{port}", "tls-cert-file": str(certificate.file), "tls-key-file": str(certificate.key),
        "tls-ca-cert-file": str(certificate.file), "tls-auth-clients": "no", "tls-replication": "yes",
    }  # fmt: skip
    primary = Server(valkey_program, tmp_path / "primary", tls)
    watches = ["resolve-hostnames yes", "announce-hostnames yes", f"monitor mymaster localhost {primary.port} 1"]
    sentinel = Server(valkey_program, tmp_path / "sentinel", {**tls, "sentinel": watches}, sentinel=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(primary)
        except AssertionError as error:
            if "Failed finding TLS support" in str(error):
                pytest.skip("this server was built without TLS")
            raise
        stack.enter_context(sentinel)
        async with deskside(f"sentinels://localhost:{sentinel.port}/mymaster?ssl_ca_certs={certificate.file}") as side:
            await a_job(side)
