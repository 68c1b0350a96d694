"""Collators: what changes a whole batch, in the worker that made it."""
