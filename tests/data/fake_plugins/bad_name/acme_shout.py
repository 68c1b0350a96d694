from leaven import Component, hookimpl


@hookimpl
def leaven_ops():
    yield Component("Rain!", "acme_shout_rooms:Rain")
