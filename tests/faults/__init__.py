"""Promises that hold whatever breaks: real processes are killed, stopped and starved, and the books are checked after.

The quick set runs with all tests; ``FAULT_TRIALS=200`` makes each test try so many kill points, at random, with a seed
that is printed (``FAULT_SEED`` repeats it).
"""
