"""Reads xls: the records of the workbook stream, and the cells of a sheet as whole columns."""
