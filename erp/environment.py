"""Strict readers of the environment: a value that makes no sense stops the start with a sentence saying what to do.

``NAME_FILE`` names a file that holds the value of ``NAME``, as container secrets do.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def text(name: str, default: str = "") -> str:
    """The value of NAME, or the content of the file that NAME_FILE names; what is blank counts as not set."""
    value = os.environ.get(name, "").strip()
    file_name = os.environ.get(f"{name}_FILE", "").strip()
    if not file_name:
        return value or default
    if value:
        raise ImproperlyConfigured(f"Set either {name} or {name}_FILE, not both.")
    try:
        return Path(file_name).read_text(encoding="utf-8").strip() or default
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE names {file_name}, which cannot be read: {error}.") from error


def boolean(name: str, *, default: bool = False) -> bool:
    """The value of NAME as yes or no."""
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; write true or false.")


def integer(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    """The value of NAME as a whole number within its bounds."""
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; write a whole number.") from None
    if number < least or (most is not None and number > most):
        raise ImproperlyConfigured(f"{name} is {number}; it must be between {least} and {most or 'any number'}.")
    return number


def percent(name: str, default: float) -> float:
    """The value of NAME as a number from 0 to 100."""
    value = text(name)
    if not value:
        return default
    try:
        number = float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; write a number from 0 to 100.") from None
    if not 0 <= number <= 100:
        raise ImproperlyConfigured(f"{name} is {value}; it must be between 0 and 100.")
    return number


def choice(name: str, default: str, *, among: Collection[str]) -> str:
    """The value of NAME, one of a few."""
    value = text(name, default)
    if value not in among:
        raise ImproperlyConfigured(f"{name} is {value!r}; write one of {', '.join(sorted(among))}.")
    return value


def time_zone(name: str, default: str) -> ZoneInfo:
    """The value of NAME as a local time, given by its IANA name."""
    value = text(name) or default
    try:
        return ZoneInfo(value)
    except (KeyError, OSError, ValueError):
        raise ImproperlyConfigured(f"{name} is {value!r}; write an IANA name such as Asia/Shanghai.") from None


def items(name: str, default: Collection[str] = ()) -> list[str]:
    """The value of NAME as a list, separated by commas."""
    value = text(name)
    return [part.strip() for part in value.split(",") if part.strip()] if value else list(default)


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """The value of NAME as networks, separated by commas; a single address is one."""
    try:
        return [ip_network(part) for part in items(name)]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}: {error}. Write addresses or networks such as 10.0.0.0/8, separated by commas."
        ) from None
