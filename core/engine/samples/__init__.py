"""Synthetic activity, for demonstrations, tests and measurements."""
