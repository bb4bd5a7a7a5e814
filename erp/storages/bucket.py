"""Uploads in an S3-compatible bucket, with errors as a folder has them: ``OSError``, and ``FileNotFoundError``."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from http import HTTPStatus
from typing import IO, Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

_CONNECT_SECONDS = 2
_WRITE_SECONDS = 20
"""A server may answer only when it has what was written on all its disks."""
_WRITE_ATTEMPTS = 3
_ASK_SECONDS = 3
"""With the time to connect it is less than the five seconds within which a cancelled task lets go."""
_CHUNK = 1024 * 1024


class Bucket(S3Storage):  # type: ignore[misc] # the package has no types
    """A bucket of any server that speaks S3. Files are read as a stream, by one request, and never written again.

    Whatever is not writing is asked once and answered within seconds; when to ask again is for the caller to say.
    """

    def __init__(self, **options: Any) -> None:
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_WRITE_SECONDS,
            retries={"total_max_attempts": _WRITE_ATTEMPTS, "mode": "standard"},
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
            answer = self._client.get_object(**self._object(name))
        return _Download(answer["Body"], name)

    def _save(self, name: str, content: IO[bytes]) -> str:
        with _errors_of_a_folder(name):
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        """Remove a file; one that is gone already is no matter."""
        with suppress(FileNotFoundError), _errors_of_a_folder(name):
            self._client.delete_object(**self._object(name))

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        try:
            self.size(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        """The size of a file in bytes."""
        with _errors_of_a_folder(name):
            try:
                return int(self._client.head_object(**self._object(name))["ContentLength"])
            except ClientError as error:
                if not _is_bare_not_found(error):
                    raise
                # such an answer has no body that would say what is not there
                self._client.head_bucket(Bucket=self.bucket_name)
                raise FileNotFoundError(errno.ENOENT, "The bucket has no such file", name) from error

    @cached_property
    def _client(self) -> Any:
        """Asks once, and waits for no answer longer than a cancelled task may take."""
        patience = Config(read_timeout=_ASK_SECONDS, retries={"total_max_attempts": 1, "mode": "standard"})
        return self._create_session().client(
            "s3",
            region_name=self.region_name,
            use_ssl=self.use_ssl,
            endpoint_url=self.endpoint_url,
            config=self.client_config.merge(patience),
            verify=self.verify,
        )

    def _object(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket_name, "Key": self._normalize_name(clean_name(name))}


class _Download(File[bytes]):
    """An answer of the bucket, read once from its beginning."""

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        with _errors_of_a_folder(self.name or ""):
            yield from self.file.iter_chunks(chunk_size or _CHUNK)  # type: ignore[union-attr]


def _is_bare_not_found(error: ClientError) -> bool:
    return str(error.response.get("Error", {}).get("Code")) == str(HTTPStatus.NOT_FOUND.value)


@contextmanager
def _errors_of_a_folder(name: str) -> Iterator[None]:
    """Only a server that names the file as what is missing is believed: a bucket that is away is "not found" too."""
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "NoSuchKey":
            raise FileNotFoundError(errno.ENOENT, "The bucket has no such file", name) from error
        raise OSError(errno.EIO, f"The bucket refused: {error}", name) from error
    except (BotoCoreError, Boto3Error) as error:
        raise OSError(errno.EIO, f"The bucket cannot be reached: {error}", name) from error
