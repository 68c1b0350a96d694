"""What runs in a process of its own, one module for each peer.

Each has ``batches(request)``, a generator of ``(images, labels)`` that never ends: it makes the loader when it is first
asked for a batch, and closes it when it is closed. What is imported at the top of the module is not timed.

Imports within this package are relative: the environment of a peer knows it by another name, and has no leaven.
"""
