import acme_gpu.kernels


class Needy:
    """Needs a package when it is imported."""
