from leaven import Component, hookimpl


@hookimpl
def leaven_ops():
    yield Component("first", "acme_raising_rooms:First")
    raise RuntimeError("no more today")
