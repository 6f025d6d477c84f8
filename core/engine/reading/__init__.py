"""Opens an activity file of any kind and yields its rows in a data set's standard layout."""

from core.engine.dataset.headings import Heading
from core.engine.reading.files import Reading, open_file

__all__ = ["Heading", "Reading", "open_file"]
