"""Facts out of the house: chosen by filters, read in pages, exported, and traced back to the files they came from."""
