"""Samples in parts, from several places, and in batches."""
