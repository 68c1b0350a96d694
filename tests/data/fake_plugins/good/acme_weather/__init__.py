"""Ops and an RNG."""

from leaven import Component, hookimpl


@hookimpl
def leaven_ops():
    yield Component("rain", "acme_weather.rooms:Rain", "streaks of water")
    yield Component("snow", "acme_weather.rooms:Snow", "white dots")


@hookimpl
def leaven_rngs():
    return [Component("gale", "acme_weather.rooms:Gale", "strong draws")]


def __getattr__(name):
    from acme_weather import rooms

    return getattr(rooms, name)


def __dir__():
    return ["Rain", "Snow", "Gale"]
