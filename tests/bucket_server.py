"""A private S3-compatible server for the tests, as ``tests.services`` has the others: gone with whoever started it."""

from __future__ import annotations

import socket
import sys
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from erp.storages.bucket import Bucket
from tests.services import Server, dies_with_us, free_port, start_server

KEY_ID, KEY = "testing", "testing-secret"
REGION = "us-east-1"


@dataclass
class BucketServer:
    """A running server and the address that clients know it by."""

    server: Server
    host: str
    port: int

    def make_bucket(self) -> str:
        """A new bucket, by its name."""
        name = f"uploads-{uuid.uuid4().hex[:12]}"
        Bucket(**self.storage(name)["OPTIONS"]).bucket.create()
        return name

    def storage(self, bucket: str, *, prefix: str = "") -> dict[str, Any]:
        """What ``STORAGES`` says of a bucket."""
        return _storage(f"http://{self.host}:{self.port}", bucket, prefix)

    def nowhere(self) -> dict[str, Any]:
        """What ``STORAGES`` says of a bucket whose server nobody reaches."""
        return _storage(f"http://{self.host}:{free_port()}", "uploads", "")

    def environment(self, bucket: str) -> dict[str, str]:
        """The variables that make another process keep uploads in the bucket."""
        return {
            "UPLOAD_BUCKET": bucket,
            "UPLOAD_ENDPOINT_URL": f"http://{self.host}:{self.port}",
            "UPLOAD_REGION": REGION,
            "UPLOAD_ACCESS_KEY_ID": KEY_ID,
            "UPLOAD_SECRET_ACCESS_KEY": KEY,
        }

    def stop(self) -> None:
        """End it; its buckets live in its memory only."""
        self.server.stop()


def start_bucket_server(host: str = "127.0.0.1") -> BucketServer:
    """Start one that listens on that address of this machine."""
    port = free_port()
    command = [*dies_with_us(), sys.executable, "-m", "moto.server", "--host", host, "--port", str(port)]

    def accepts() -> bool:
        try:
            with socket.create_connection((host, port), timeout=1):
                return True
        except OSError:
            return False

    folder = Path(tempfile.mkdtemp(prefix="erp-bucket-"))
    server = start_server(command, url=f"http://{host}:{port}", folder=folder, ready=accepts)
    return BucketServer(server=server, host=host, port=port)


def _storage(endpoint: str, bucket: str, prefix: str) -> dict[str, Any]:
    options = {
        "bucket_name": bucket,
        "location": prefix,
        "endpoint_url": endpoint,
        "region_name": REGION,
        "access_key": KEY_ID,
        "secret_key": KEY,
    }
    return {"BACKEND": "erp.storages.bucket.Bucket", "OPTIONS": options}
