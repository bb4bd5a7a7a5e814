"""The benchmarks of the way from an export file to clean tables, side by side with the floor and the peers.

``python -m bench`` starts servers of its own, measures the product through its own sync, and writes ``RESULTS.md``.
Machines are noisy: what is compared runs in turn, and a claim is the median of the ratios of at least three turns.
"""
