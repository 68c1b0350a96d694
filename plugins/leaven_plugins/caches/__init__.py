"""Caches: what keeps the bytes of samples where they are read faster."""
