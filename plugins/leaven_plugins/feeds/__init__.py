"""Feeds: what hands a finished batch to the consumer."""
