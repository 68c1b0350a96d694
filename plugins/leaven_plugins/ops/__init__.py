"""Ops: what changes one image according to drawn values; and the geometry and reference code that they share."""
