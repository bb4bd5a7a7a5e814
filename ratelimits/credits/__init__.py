"""Credits: what a person may still have synced, a row a credit, kept as a ledger in which nothing is ever changed."""
