"""Server-sent events: a few clients of each process are told at once what they would otherwise ask for again.

A stream holds a thread of the web process, so a process has only so many places for them; who finds none polls. It
holds nothing else: between two looks it has no database connection. A stream ends after ten minutes at the latest, and
when the process is asked to stop; the client then comes back with the id of the last event it got.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from django.http import StreamingHttpResponse
from django.utils import translation
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from datasync.exceptions import StreamsBusy
from erp.api.renderers import dumps
from erp.stopping import stopping

logger = logging.getLogger(__name__)
MEDIA_TYPE = "text/event-stream"
LOOK_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
MOST_SECONDS = 600.0
RECONNECT_MILLISECONDS = 3000
_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Event:
    """One event; ``id`` is where a client that comes back goes on. The last one ends the stream."""

    name: str
    id: str
    data: Any
    last: bool = False

    def encode(self) -> bytes:
        """As it goes over the wire; the JSON is one line."""
        return b"id: %s\nevent: %s\ndata: %s\n\n" % (self.id.encode(), self.name.encode(), dumps(self.data))


class Places:
    """So many streams at once; the number is read when a place is taken."""

    def __init__(self, most: Callable[[], int]) -> None:
        self._most, self._taken, self._lock = most, 0, threading.Lock()

    def take(self) -> None:
        """Raises ``StreamsBusy`` where all are taken."""
        with self._lock:
            if self._taken >= self._most():
                raise StreamsBusy
            self._taken += 1

    def give_back(self) -> None:
        """Let somebody else have it."""
        with self._lock:
            self._taken -= 1


PLACES = Places(lambda: settings.STREAMS_AT_ONCE)
"""Those of this process."""


class EventStream:
    """The bytes for one client. ``look`` gives what is new each time it is called; None ends the stream.

    It takes a place when it is made and gives it back when it is closed, which the server does however it ends.
    """

    def __init__(
        self,
        look: Callable[[], Sequence[Event] | None],
        *,
        places: Places = PLACES,
        pause: float = LOOK_SECONDS,
        heartbeat: float = HEARTBEAT_SECONDS,
        most: float = MOST_SECONDS,
    ) -> None:
        places.take()
        self._look, self._places, self._open = look, places, True
        self._pause, self._heartbeat, self._most = pause, heartbeat, most
        self._language = translation.get_language()

    def __iter__(self) -> Iterator[bytes]:
        began = said = time.monotonic()
        yield b"retry: %d\n\n" % RECONNECT_MILLISECONDS
        while True:
            news = self._news()
            if news is None:
                return
            for event in news:
                yield event.encode()
                said = time.monotonic()
                if event.last:
                    return
            now = time.monotonic()
            if now - said >= self._heartbeat:
                yield b": still here\n\n"
                said = now
            if now - began >= self._most or stopping.wait(self._pause):
                return

    def close(self) -> None:
        """Give the place back; as often as it is called, once."""
        if self._open:
            self._open = False
            self._places.give_back()

    def _news(self) -> Sequence[Event] | None:
        """One look, in the language of the request; a database that is away costs the look, not the stream."""
        try:
            with translation.override(self._language):
                return self._look()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("A stream could not look: %s", error)
            return ()
        finally:
            connections.close_all()


class EventStreamResponse(StreamingHttpResponse):
    """A stream that no proxy keeps back or keeps."""

    def __init__(self, stream: EventStream) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(stream, content_type=MEDIA_TYPE, headers=headers)


class EventStreamNegotiation(DefaultContentNegotiation):
    """Who accepts an event stream is told errors as everybody is: in JSON."""

    def get_accept_list(self, request: Request) -> list[str]:
        """Take the one for the other."""
        accepted = super().get_accept_list(request)
        return ["application/json" if given.split(";")[0].strip() == MEDIA_TYPE else given for given in accepted]


def last_event_id(request: Request) -> str:
    """Where the client wants to go on; blank: from the beginning."""
    return request.headers.get("Last-Event-ID", "")[:_LONGEST_ID]
