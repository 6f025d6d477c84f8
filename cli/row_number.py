"""The number of a row of the database, as an argument of a command."""

import click

LARGEST = 2**31 - 1
"""Of PostgreSQL's type integer."""
ROW_NUMBER = click.IntRange(min=1, max=LARGEST)
