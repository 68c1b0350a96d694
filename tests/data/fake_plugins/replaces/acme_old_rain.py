from leaven import Component, hookimpl


class Rain:
    """The old one."""


@hookimpl
def leaven_ops():
    yield Component("rain", "acme_old_rain:Rain")
