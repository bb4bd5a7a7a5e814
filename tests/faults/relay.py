"""A relay between two processes that loses connections in silence, as a firewall does that forgets them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_BLOCK = 65_536


class Relay:
    """Passes bytes on to a port of this machine until it is told to drop what is open."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = int(self._listener.getsockname()[1])
        self._lines: list[_Line] = []
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def drop(self) -> int:
        """Pass on nothing more of the connections that are open now, and tell neither side; how many."""
        open_now = [line for line in self._lines if line.is_open]
        for line in open_now:
            line.dropped = True
        return len(open_now)

    def close(self) -> None:
        """End everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in self._lines:
            line.close()

    def _accept(self) -> None:
        with suppress(OSError):  # it is closed at the end
            while True:
                client = self._listener.accept()[0]
                self._lines.append(_Line(client, socket.create_connection(("127.0.0.1", self._upstream))))


class _Line:
    """One relayed connection."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.dropped = False
        self.is_open = True
        self._ends = (client, server)
        for source, target in ((client, server), (server, client)):
            threading.Thread(target=self._pass_on, args=(source, target), name="relay line", daemon=True).start()

    def close(self) -> None:
        self.is_open = False
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        """Until one side ends; what is dropped is read and forgotten, even the end itself."""
        with suppress(OSError):
            while block := source.recv(_BLOCK):
                if not self.dropped:
                    target.sendall(block)
        if not self.dropped:
            self.close()


@contextmanager
def relay(upstream: int) -> Iterator[Relay]:
    """One that runs until the block ends."""
    running = Relay(upstream)
    try:
        yield running
    finally:
        running.close()
