"""Models: networks that take and return sample dicts."""
