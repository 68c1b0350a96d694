from leaven import hookimpl


@hookimpl
def leaven_ops():
    yield "acme_strings_rooms:Op"
