"""Samplers: what says which sample of a dataset comes when."""
