from leaven import Component, hookimpl


class Rain:
    """The new one."""


@hookimpl
def leaven_ops():
    yield Component("rain", "acme_new_rain:Rain", replaces="old_rain")
