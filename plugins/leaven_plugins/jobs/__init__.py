"""Jobs: work on a dataset that is cut into blocks."""
