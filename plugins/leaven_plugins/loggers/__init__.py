"""Loggers: what writes down what happens during a run."""
