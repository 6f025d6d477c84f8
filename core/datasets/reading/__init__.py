"""Opens an activity file of any kind and gives its rows in the standard layout of a data set."""

from core.datasets.reading.files import Reading, open_file
from core.datasets.reading.headings import Heading

__all__ = ["Heading", "Reading", "open_file"]
