"""Uploads in an S3-compatible bucket, with errors as a folder has them: ``OSError``, and ``FileNotFoundError``."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import IO, Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

_CONNECT_SECONDS = 3
_READ_SECONDS = 20
_ATTEMPTS = 3
_CHUNK = 1024 * 1024


class Bucket(S3Storage):  # type: ignore[misc] # the package has no types
    """A bucket of any server that speaks S3. Files are read as a stream, by one request, and never written again."""

    def __init__(self, **options: Any) -> None:
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
            tcp_keepalive=True,
            # servers of one's own seldom have a name for each bucket
            s3={"addressing_style": "path" if options.get("endpoint_url") else "auto"},
            # not every server knows the newer checksums; whoever reads compares the hash of the whole
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        super().__init__(**options, client_config=config, transfer_config=TransferConfig(use_threads=False))

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode != "rb":
            raise ValueError("A bucket is opened for reading bytes; write with save().")
        with _errors_of_a_folder(name):
            answer = self.bucket.Object(self._normalize_name(clean_name(name))).get()
        return _Download(answer["Body"], name)

    def _save(self, name: str, content: IO[bytes]) -> str:
        with _errors_of_a_folder(name):
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        """Remove a file; one that is gone already is no matter."""
        with _errors_of_a_folder(name):
            super().delete(name)

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        with _errors_of_a_folder(name):
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        """The size of a file in bytes."""
        with _errors_of_a_folder(name):
            return int(super().size(name))


class _Download(File[bytes]):
    """An answer of the bucket, read once from its beginning."""

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        with _errors_of_a_folder(self.name or ""):
            yield from self.file.iter_chunks(chunk_size or _CHUNK)  # type: ignore[union-attr]


@contextmanager
def _errors_of_a_folder(name: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == HTTPStatus.NOT_FOUND:
            raise FileNotFoundError(errno.ENOENT, "The bucket has no such file", name) from error
        raise OSError(errno.EIO, f"The bucket refused: {error}", name) from error
    except (BotoCoreError, Boto3Error) as error:
        raise OSError(errno.EIO, f"The bucket cannot be reached: {error}", name) from error
