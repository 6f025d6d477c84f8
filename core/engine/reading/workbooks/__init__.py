"""Reads workbooks: which sheet, what each cell means, and its rows as tables."""
