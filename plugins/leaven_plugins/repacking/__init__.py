"""Repacking: JPEGs changed losslessly, so that parts of them can be decoded alone."""
