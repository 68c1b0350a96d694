"""Engines: what does the blocks of a job."""
