"""A document that cannot be read is the mistake of who named it, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.documents import read_document
from core.user_errors import DocumentError


def test_a_document_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"nowhere\.yaml: cannot be read"):
        read_document(tmp_path / "nowhere.yaml")


def test_a_folder_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        read_document(tmp_path)
