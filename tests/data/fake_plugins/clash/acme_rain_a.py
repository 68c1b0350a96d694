from leaven import Component, hookimpl


class Rain:
    """The rain of a."""


@hookimpl
def leaven_ops():
    yield Component("rain", "acme_rain_a:Rain")
