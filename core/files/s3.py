"""Files in a bucket of Amazon S3 or of any server that speaks its protocol."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from core.files.contract import BLOCK, HashingReader, Stored, checked_key, missing
from core.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOT_THERE = ("404", "NoSuchKey", "NotFound")


def s3_store(settings: Settings, place: str) -> S3Store:
    """The store at ``bucket/prefix``, with the endpoint and keys of the settings, else AWS's own
    chain of credentials (role of the machine, profile, environment)."""
    bucket, _, prefix = place.partition("/")
    secret = settings.s3_secret.get_secret_value() if settings.s3_secret else None
    client = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        aws_access_key_id=settings.s3_key,
        aws_secret_access_key=secret,
        region_name=settings.s3_region,
        config=Config(
            signature_version="s3v4",
            retries={"mode": "standard", "max_attempts": 5},
            # Servers other than Amazon's often lack the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path"} if settings.s3_endpoint else {},
        ),
    )
    return S3Store(client, bucket, prefix.strip("/"))


class S3Store:
    """Files under ``prefix`` of a bucket. See ``FileStore``."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        self.client = client
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""

    def put(self, key: str, stream: IO[bytes]) -> Stored:
        reader = HashingReader(stream)
        self.client.upload_fileobj(cast("IO[Any]", reader), self.bucket, self._name(key))
        return reader.stored()

    def open(self, key: str) -> IO[bytes]:
        with _missing_as_user_error(key):
            response = self.client.get_object(Bucket=self.bucket, Key=self._name(key))
        return cast("IO[bytes]", response["Body"])

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="grouper-") as folder:
            path = Path(folder) / PurePosixPath(key).name
            with closing(self.open(key)) as stream, path.open("wb") as file:
                shutil.copyfileobj(stream, file, BLOCK)
            yield path

    def list(self, prefix: str = "") -> Iterator[str]:
        pages = self.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix + prefix):
            for entry in page.get("Contents", []):
                yield entry["Key"].removeprefix(self.prefix)

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=self._name(key))

    def size(self, key: str) -> int:
        with _missing_as_user_error(key):
            head = self.client.head_object(Bucket=self.bucket, Key=self._name(key))
        return head["ContentLength"]

    def presigned(self, key: str, filename: str, seconds: int) -> str | None:
        shown = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        return self.client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket,
                "Key": self._name(key),
                "ResponseContentDisposition": shown,
            },
            ExpiresIn=seconds,
        )

    def _name(self, key: str) -> str:
        return self.prefix + checked_key(key)


@contextmanager
def _missing_as_user_error(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in NOT_THERE:
            raise missing(key) from error
        raise
