"""Metrics: what is measured of the network's output."""
