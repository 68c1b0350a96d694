from leaven import Component, hookimpl


class Rain:
    """The rain of b."""


@hookimpl
def leaven_ops():
    yield Component("rain", "acme_rain_b:Rain")
