"""Policies: what sets a value as a function of the epoch."""
