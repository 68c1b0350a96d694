"""Fetching: files that have an address, brought to this machine whole and as they should be."""
