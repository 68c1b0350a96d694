"""Datasets: what reads and writes samples in one format."""
