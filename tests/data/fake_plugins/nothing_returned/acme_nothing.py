from leaven import Component, hookimpl


@hookimpl
def leaven_ops():
    Component("lost", "acme_nothing_rooms:Lost")
