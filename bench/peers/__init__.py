"""What others would use for the same work: from an .xlsx export to rows in PostgreSQL, each once, under a key.

``python -m bench.peers NAME DATABASE PATH`` loads a file with one of them, in a process of its own, and prints the
seconds from the file to the last commit; imports do not count. Each peer is given its best: columns are named and
typed by hand, and nothing is quarantined, hashed, compared or booked.
"""
