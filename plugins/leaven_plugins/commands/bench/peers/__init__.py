"""Loaders beside each other, at the same work. No plugin.

Of this package, :mod:`works` and :mod:`runners` are also imported in other environments, as ``peers.works`` and so on:
they need neither leaven nor what it needs.
"""
