"""Private servers for the tests: on free ports, in temporary folders, gone with the session.

Nothing here knows Django: this module runs before the settings are read. Every process is asked to die with the
process that started it (``setpriv --pdeathsig``), so a killed session leaves no server behind.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60
STOP_SECONDS = 20


@dataclass
class Server:
    """One running server: where to reach it, and the process to stop."""

    url: str
    process: subprocess.Popen[bytes]
    folder: Path

    def stop(self, *, by: signal.Signals = signal.SIGTERM) -> None:
        """End the process and remove its folder."""
        stop_process(self.process, by=by)
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self, *, by: signal.Signals = signal.SIGTERM) -> None:
        """End the process and start it again in the same folder and at the same address; not ready yet on return."""
        stop_process(self.process, by=by)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.process.args, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )


def stop_process(process: subprocess.Popen[bytes], *, by: signal.Signals = signal.SIGTERM) -> None:
    """Signal the process by its id, and kill it when it does not go."""
    if process.poll() is None:
        process.send_signal(by)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait(STOP_SECONDS)


def wait_until(condition: Callable[[], bool], *, seconds: float = START_SECONDS, what: str) -> None:
    """Return as soon as the condition holds; fail with what was waited for when it does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"Waited {seconds:.0f} s for {what}.")
        time.sleep(0.02)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def start_postgres(settings: Mapping[str, str] | None = None) -> Server:
    """A PostgreSQL of its own, as another user when we are root, because the server refuses to run as root.

    It does not wait for the disk (``fsync=off``): the tests crash processes, never the machine. ``settings`` of the
    server go before those that suit tests.
    """
    folder = Path(tempfile.mkdtemp(prefix="erp-postgres-"))
    prefix = _as_other_user(folder)
    data, port = folder / "data", free_port()
    binaries = postgres_binaries()
    initdb = [*prefix, str(binaries / "initdb"), "--pgdata", str(data), "--username", "erp", "--auth", "trust"]
    subprocess.run(
        [*initdb, "--no-sync", "--encoding", "UTF8", "--locale", "C"], check=True, cwd=folder, stdout=subprocess.DEVNULL
    )
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": folder,
        "fsync": "off",
        "shared_buffers": "256MB",
        "max_wal_size": "4GB",
        "max_connections": 60,
        **(settings or {}),
    }
    command = [*prefix, str(binaries / "postgres"), "-D", str(data)]
    command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def accepts() -> bool:
        """The server writes its state into the eighth line of its pid file."""
        lines = pid_file.read_text().splitlines() if pid_file.exists() else []
        return len(lines) >= 8 and lines[7].strip() == "ready"

    pid_file = data / "postmaster.pid"
    return start_server(command, url=f"postgresql://erp@127.0.0.1:{port}/postgres", folder=folder, ready=accepts)


def start_redis() -> Server:
    """A Redis of its own that keeps nothing on disk."""
    folder, port = Path(tempfile.mkdtemp(prefix="erp-redis-")), free_port()
    command = [*dies_with_us(), binary("redis-server"), "--bind", "127.0.0.1", "--port", str(port)]
    command += ["--dir", str(folder), "--save", "", "--appendonly", "no"]

    def accepts() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    return start_server(command, url=f"redis://127.0.0.1:{port}/0", folder=folder, ready=accepts)


def postgres_binaries() -> Path:
    """The folder of the newest installed PostgreSQL server."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    return Path(binary("postgres")).resolve().parent


def start_server(command: Sequence[str], *, url: str, folder: Path, ready: Callable[[], bool]) -> Server:
    """Start the command and wait until it is ready; one that ends instead says why."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    server = Server(url=url, process=process, folder=folder)

    def is_ready() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"{url} ended at once:\n{(folder / 'log').read_text(errors='replace')}")
        return ready()

    try:
        wait_until(is_ready, what=url)
    except BaseException:
        server.stop()
        raise
    return server


def dies_with_us() -> list[str]:
    """The command prefix that ends a process with the one that started it."""
    return [binary("setpriv"), "--pdeathsig", "TERM", "--"]


def _as_other_user(folder: Path) -> list[str]:
    """The command prefix that makes the rest run as somebody who may own a PostgreSQL cluster."""
    if os.geteuid() != 0:
        return dies_with_us()
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    as_user = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [binary("setpriv"), *as_user, "--pdeathsig", "INT", "--"]


def binary(name: str) -> str:
    """Where the program is."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/bin")
    if found is None:
        raise RuntimeError(f"{name} is not installed; run: make test-packages")
    return found
