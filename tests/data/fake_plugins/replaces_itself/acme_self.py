from leaven import Component, hookimpl


@hookimpl
def leaven_ops():
    yield Component("rain", "acme_self_rooms:Rain", replaces="selfish")
