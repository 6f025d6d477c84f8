"""Opens an activity file of any kind and gives its rows in the standard layout of a data set."""

from core.engine.dataset.headings import Heading
from core.engine.reading.files import Reading, open_file

__all__ = ["Heading", "Reading", "open_file"]
