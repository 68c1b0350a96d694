"""Hooks: what follows a training run."""
