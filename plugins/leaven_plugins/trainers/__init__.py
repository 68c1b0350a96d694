"""Trainers: what runs the epochs."""
