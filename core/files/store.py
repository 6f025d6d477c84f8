"""The store of files in use: a folder of this machine, or a bucket of any S3 service."""

from __future__ import annotations

from pathlib import Path

from core.files.contract import FileMissingError, FileStore, Stored
from core.files.folder import FolderStore
from core.settings import Settings
from core.settings import settings as current_settings
from core.user_errors import UserError

__all__ = ["FileMissingError", "FileStore", "FolderStore", "Stored", "open_store"]


def open_store(settings: Settings | None = None) -> FileStore:
    """The store that ``GROUPER_FILES_URL`` names; by default the folder ``files`` of the home."""
    settings = settings or current_settings()
    url = settings.files_url
    if url is None:
        return FolderStore(settings.home / "files")
    scheme, separator, rest = url.partition("://")
    if scheme == "s3" and rest:
        from core.files.s3 import s3_store  # boto3 costs a third of a second

        return s3_store(settings, rest)
    if separator and scheme != "file":
        raise UserError(f"GROUPER_FILES_URL is {url!r}: it must be a folder or s3://bucket/prefix")
    return FolderStore(Path(rest if separator else url))
