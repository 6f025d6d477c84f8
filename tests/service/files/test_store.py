"""Files in a folder and on a real S3 server behave alike."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from core.files.s3 import S3Store, s3_store
from core.files.store import FileMissingError, FileStore, FolderStore, open_store
from core.settings import Settings
from core.support.processes import free_port, start_child
from core.user_errors import UserError

KEY, SECRET = "grouper-tests", "not-very-secret"


def juicefs(*arguments: str) -> list[str]:
    found = shutil.which("juicefs", path=str(Path(sys.executable).parent)) or "juicefs"
    return [found, *arguments]


@pytest.fixture(scope="module")
def s3_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The gateway of JuiceFS: checks signatures and their end as Amazon does."""
    folder = tmp_path_factory.mktemp("s3")
    meta, port = f"sqlite3://{folder}/meta.db", free_port()
    made = juicefs("format", "--storage", "file", "--bucket", f"{folder}/data/", meta, "jfs",
                   "--trash-days", "0")  # fmt: skip
    subprocess.run(made, check=True, capture_output=True)
    gateway = start_child(
        juicefs("gateway", meta, f"127.0.0.1:{port}", "--multi-buckets", "--keep-etag",
                "--no-usage-report", "--no-banner", "--log", f"{folder}/gateway.log",
                "--cache-dir", f"{folder}/cache", "--backup-meta", "0"),
        death_signal=signal.SIGKILL,
        env={**os.environ, "MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    endpoint = f"http://127.0.0.1:{port}"
    wait_for(f"{endpoint}/minio/health/live", gateway)
    yield Settings(
        files_url="s3://files/kept/here", s3_endpoint=endpoint, s3_key=KEY, s3_secret=SECRET
    )
    gateway.kill()
    gateway.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx2.get(url).is_success:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    pytest.fail("the S3 server did not start")


@pytest.fixture(scope="module")
def s3(s3_settings: Settings) -> S3Store:
    store = s3_store(s3_settings, "files/kept/here")
    store.client.create_bucket(
        Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}
    )
    return store


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "files")
    made: S3Store = request.getfixturevalue("s3")
    for key in list(made.list()):
        made.delete(key)
    return made


def put(store: FileStore, key: str, content: bytes) -> None:
    store.put(key, io.BytesIO(content))


def test_a_file_comes_back_as_it_was_put(store: FileStore) -> None:
    content = bytes(range(256)) * 40_000  # more than one part of a multipart upload
    stored = store.put("uploads/1/april file é.csv", io.BytesIO(content))
    assert stored.size == len(content) == store.size("uploads/1/april file é.csv")
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    with store.open("uploads/1/april file é.csv") as stream:
        assert stream.read() == content
    with store.local_path("uploads/1/april file é.csv") as path:
        assert path.read_bytes() == content
        assert path.name == "april file é.csv"


def test_an_empty_file_is_a_file(store: FileStore) -> None:
    assert store.put("empty", io.BytesIO()).size == 0
    with store.local_path("empty") as path:
        assert path.read_bytes() == b""


def test_a_second_file_under_the_key_replaces_the_first(store: FileStore) -> None:
    put(store, "a", b"first")
    put(store, "a", b"second")
    with store.open("a") as stream:
        assert stream.read() == b"second"


def test_keys_are_listed_by_their_beginning_in_order(store: FileStore) -> None:
    for key in ("b/2", "b/1", "a/1", "bc"):
        put(store, key, b"")
    assert list(store.list("b/")) == ["b/1", "b/2"]
    assert list(store.list()) == ["a/1", "b/1", "b/2", "bc"]


def test_a_file_that_is_not_there_is_told_to_its_user(store: FileStore) -> None:
    with pytest.raises(FileMissingError, match="gone/away is no longer kept"):
        store.open("gone/away")
    with pytest.raises(FileMissingError):
        store.size("gone/away")
    with pytest.raises(FileMissingError), store.local_path("gone/away"):
        pytest.fail("there is no such file")
    store.delete("gone/away")


class BreaksOff(io.BytesIO):
    """A stream whose other end is lost in the middle."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise ConnectionResetError
        return super().read(min(size or 10, 10))


def test_of_a_stream_that_broke_off_nothing_is_kept(store: FileStore) -> None:
    put(store, "a", b"whole")
    with pytest.raises(ConnectionResetError):
        store.put("a", BreaksOff(b"x" * 100))
    with store.open("a") as stream:
        assert stream.read() == b"whole"
    assert list(store.list()) == ["a"]


@pytest.mark.parametrize("key", ["../a", "a/../../b", "/etc/passwd", "a//b", "", ".", "a\0b"])
def test_keys_cannot_lead_out_of_the_store(store: FileStore, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        store.open(key)


def test_a_presigned_url_saves_under_a_name_ends_and_cannot_be_altered(s3: S3Store) -> None:
    put(s3, "report", b"charges")
    url = s3.presigned("report", "April é.xlsx", 60)
    assert url is not None
    answer = httpx2.get(url)
    assert answer.content == b"charges"
    assert "April%20%C3%A9.xlsx" in answer.headers["content-disposition"]
    assert httpx2.get(url.replace("report", "other")).status_code == httpx2.codes.FORBIDDEN
    short = s3.presigned("report", "a", 1)
    assert short is not None
    deadline = time.monotonic() + 10
    while httpx2.get(short).is_success:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert httpx2.get(short).status_code == httpx2.codes.FORBIDDEN


def test_a_folder_leaves_links_to_the_portal(tmp_path: Path) -> None:
    assert FolderStore(tmp_path).presigned("a", "a", 60) is None


def test_the_settings_choose_the_store(tmp_path: Path, s3_settings: Settings) -> None:
    by_default = open_store(Settings(home=tmp_path))
    assert isinstance(by_default, FolderStore)
    assert by_default.root == tmp_path / "files"
    chosen = open_store(s3_settings)
    assert isinstance(chosen, S3Store)
    assert (chosen.bucket, chosen.prefix) == ("files", "kept/here/")
    with pytest.raises(UserError, match="GROUPER_FILES_URL"):
        open_store(Settings(home=tmp_path, files_url="ftp://x/y"))
