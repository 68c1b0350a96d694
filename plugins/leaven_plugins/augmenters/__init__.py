"""Augmenters: what changes batches on a device."""
