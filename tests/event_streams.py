"""A client of server-sent events, and a web process to ask, as production starts it."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from erp.supervisor import BASE_DIR, web_command
from tests.services import free_port, stop_process, wait_until


@dataclass
class Stream:
    """One open stream, or the refusal of one."""

    connection: http.client.HTTPConnection
    answer: http.client.HTTPResponse
    comments: list[str] = field(default_factory=list)

    def events(self) -> Iterator[tuple[str, str, Any]]:
        """Name, id and data of each event, until the server ends the stream."""
        fields: dict[str, str] = {}
        for line in self.answer:
            text = line.decode().rstrip("\n")
            if text.startswith(":"):
                self.comments.append(text)
            elif text:
                name, _colon, value = text.partition(": ")
                fields[name] = value
            elif "event" in fields:
                yield fields["event"], fields["id"], json.loads(fields["data"])
                fields = {}

    def until(self, name: str) -> tuple[str, str, Any]:
        """The next event of this name."""
        return next(event for event in self.events() if event[0] == name)

    def close(self) -> None:
        """Go away, as a closed page does."""
        self.answer.close()
        self.connection.close()


@dataclass
class Web:
    """A running web process."""

    process: subprocess.Popen[bytes]
    port: int
    asked: list[Stream] = field(default_factory=list)

    def get(self, path: str, *, token: str, seconds: float = 30, **headers: str) -> Stream:
        """Ask; the answer is read as it comes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}", **named})
        self.asked.append(Stream(connection, connection.getresponse()))
        return self.asked[-1]


@contextmanager
def web_process(environment: dict[str, str], *, threads: int, log: Path, processes: int = 1) -> Iterator[Web]:
    """A web server of so many processes with so many threads each, until the block ends."""
    port = free_port()
    command = web_command(host="127.0.0.1", port=port, processes=processes, threads=threads)
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *command],
            cwd=BASE_DIR,
            env=environment | {"WEB_THREADS": str(threads)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    web = Web(process, port)
    try:
        wait_until(lambda: _answers(port) or process.poll() is not None, what=f"the web process, whose log is {log}")
        yield web
    finally:
        for stream in web.asked:
            stream.close()
        stop_process(process, by=signal.SIGTERM)


def _answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/health/live")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
