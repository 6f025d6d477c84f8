"""The revision of the reader, by which the reading of a record is known."""

READER_REVISION = 4
"""Raised with every change after which some file would be read otherwise than before.

1: until November 2026. 2: text as people read it; quotes that are out of place; what a cell shows.
3: control characters are taken out; names of errors and narrow columns in csv; stray quotes in the
first column and among the headings. 4: errors of spreadsheets in any language; identifiers that
look alike, and words for no value in their place.
"""

TAKEN_OVER_READER = 0
"""The reader of a file that another service read: its records are here, its content is not."""
