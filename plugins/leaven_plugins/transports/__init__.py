"""Transports: what carries messages between a loader and its workers."""
