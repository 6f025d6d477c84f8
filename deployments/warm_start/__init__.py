"""Starts runs in processes forked from one that has imported everything.

A worker starts ``start_run.py``, which takes hundredths of a second; it hands its environment and
its open files to the launcher, which forks. See docs/decisions/0028-warm-starts.md.
"""
