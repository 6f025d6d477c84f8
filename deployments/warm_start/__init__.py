"""Runs begin in a process that has everything imported already.

A worker starts ``start_run.py``, which takes hundredths of a second; it hands its environment and
its open files to the launcher, which forks. See docs/decisions/0028-warm-starts.md.
"""
