"""Reads xlsx: the package, its parts, and the cells of a sheet as whole columns."""
