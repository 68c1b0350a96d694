"""Decoders: what turns encoded bytes into pixels."""
