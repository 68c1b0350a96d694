from leaven import Component, hookimpl


@hookimpl
def leaven_ops():
    yield Component("rain", "acme_twice_rooms:Rain")
    yield Component("rain", "acme_twice_rooms:HeavyRain")
