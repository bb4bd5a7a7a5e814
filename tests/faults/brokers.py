"""Brokers of a test's own, to be broken: a Redis that comes back where it was, Sentinels, and a RabbitMQ."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.services import Server, binary, dies_with_us, free_port, start_server, stop_process


@dataclass
class OwnRedis:
    """A Redis with an append-only file, on the same port and in the same folder each time it is started."""

    port: int = field(default_factory=free_port)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="erp-redis-")))
    server: Server | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, *options: str, answer: bytes = b"+PONG") -> None:
        """Start it, and return when it answers a PING as expected; ``options`` as on its command line."""
        command = [*dies_with_us(), binary("redis-server"), "--bind", "127.0.0.1", "--port", str(self.port)]
        command += ["--dir", str(self.folder), "--save", "", "--appendonly", "yes", *options]
        self.server = start_server(
            command, url=self.url, folder=self.folder, ready=lambda: ping(self.port).startswith(answer)
        )

    def stop(self, *, by: signal.Signals = signal.SIGKILL) -> None:
        """End it; what it wrote stays."""
        if self.server is not None:
            stop_process(self.server.process, by=by)
            self.server = None

    def send(self, number: signal.Signals) -> None:
        """Signal the running server."""
        assert self.server is not None
        self.server.process.send_signal(number)

    def forget(self) -> None:
        """Remove what the stopped server wrote."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()


def ping(port: int) -> bytes:
    """What a Redis on the port says to a PING; nothing when it is silent or away."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            client.sendall(b"PING\r\n")
            return client.recv(64)
    except OSError:
        return b""


@contextmanager
def own_redis() -> Iterator[OwnRedis]:
    """One that is running, until the block ends."""
    redis = OwnRedis()
    try:
        redis.start()
        yield redis
    finally:
        redis.stop()
        shutil.rmtree(redis.folder, ignore_errors=True)


@contextmanager
def black_hole(port: int) -> Iterator[None]:
    """Take connections on the port and never answer."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", port), backlog=50) as listener:

        def take() -> None:
            with suppress(OSError):  # it is closed at the end
                while True:
                    taken.append(listener.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
    for connection in taken:
        connection.close()


@contextmanager
def sentinels(master: OwnRedis, *, number: int = 3) -> Iterator[str]:
    """So many Sentinels that watch the Redis as ``erp``; their URL as Celery takes it."""
    running: list[Server] = []
    try:
        running.extend(_sentinel(master) for _ in range(number))
        yield ";".join(server.url for server in running)
    finally:
        for server in running:
            server.stop(by=signal.SIGKILL)


def _sentinel(master: OwnRedis) -> Server:
    folder, port = Path(tempfile.mkdtemp(prefix="erp-sentinel-")), free_port()
    (folder / "sentinel.conf").write_text(
        f"bind 127.0.0.1\nport {port}\ndir {folder}\n"
        f"sentinel monitor erp 127.0.0.1 {master.port} 2\n"
        "sentinel down-after-milliseconds erp 1000\nsentinel failover-timeout erp 5000\n"
    )
    command = [*dies_with_us(), binary("redis-server"), str(folder / "sentinel.conf"), "--sentinel"]
    return start_server(
        command, url=f"sentinel://127.0.0.1:{port}", folder=folder, ready=lambda: ping(port).startswith(b"+PONG")
    )


@contextmanager
def rabbitmq() -> Iterator[str]:
    """A RabbitMQ node of its own, with the Erlang name server that it needs; its URL."""
    folder, port = Path(tempfile.mkdtemp(prefix="erp-rabbitmq-")), free_port()
    names = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"erp{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
    }
    (folder / "plugins").write_text("[].")
    name_server = subprocess.Popen(
        [*dies_with_us(), binary("epmd"), "-port", str(names), "-address", "127.0.0.1"], cwd=folder
    )
    command = [*dies_with_us(), "env", "-i", *(f"{name}={value}" for name, value in environment.items())]
    command += ["/usr/lib/rabbitmq/bin/rabbitmq-server"]  # the one in the path changes to another user
    log = folder / "log"
    server = None
    try:
        server = start_server(
            command,
            url=f"amqp://guest:guest@127.0.0.1:{port}//",
            folder=folder,
            ready=lambda: "startup complete" in log.read_text(errors="replace"),
        )
        yield server.url
    finally:
        stop_process(name_server)
        if server is not None:
            with suppress(ProcessLookupError):
                os.killpg(server.process.pid, signal.SIGKILL)
            server.stop(by=signal.SIGKILL)


@contextmanager
def frozen(redis: OwnRedis) -> Iterator[None]:
    """Stop the process, so that it is there and says nothing."""
    redis.send(signal.SIGSTOP)
    try:
        yield
    finally:
        redis.send(signal.SIGCONT)
