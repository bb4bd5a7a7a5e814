"""The secret that signs sessions and links, where nobody set one: each installation makes its own."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_SECRET_BYTES = 48


def installation_secret(folder: Path) -> str:
    """The secret kept in ``folder``, made by whichever process comes first; only its owner may read it.

    It appears whole or not at all, so that processes that start together agree on one.
    """
    kept = folder / "secret_key"
    try:
        if not kept.exists():
            _make(kept)
        return kept.read_text(encoding="ascii")
    except OSError as error:
        raise ImproperlyConfigured(
            f"The secret of this installation cannot be kept in {kept}: {error.strerror}. "
            "Set SECRET_KEY, or set VAR_DIR to a folder that this user can write."
        ) from error


def _make(kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    aside = kept.with_name(f".{kept.name}.{os.getpid()}.{secrets.token_hex(4)}")
    aside.touch(mode=0o600, exist_ok=False)
    aside.write_text(secrets.token_urlsafe(_SECRET_BYTES), encoding="ascii")
    try:
        os.link(aside, kept)
    except FileExistsError:
        return  # another process was faster; its secret counts
    finally:
        aside.unlink()
