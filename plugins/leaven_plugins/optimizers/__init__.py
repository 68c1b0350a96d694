"""Optimizers: what changes the network's weights."""
