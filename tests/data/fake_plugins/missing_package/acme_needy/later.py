class Later:
    """Needs a package when it is made."""

    def __init__(self):
        import acme_gpu  # noqa: F401
