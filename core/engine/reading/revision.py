"""Which reading of files a record comes from."""

READER_REVISION = 2
"""Raised with every change after which some file would be read otherwise than before.

1: until November 2026. 2: text as people read it; quotes that are out of place; what a cell shows.
"""
