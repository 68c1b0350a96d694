from leaven import Component, hookimpl


@hookimpl
def leaven_ops(registry):
    yield Component("late", "acme_arguments_rooms:Late")
