from leaven import Component, hookimpl


@hookimpl
def leaven_losses():
    yield Component("needy", "acme_needy.at_import:Needy", extra="acme-needy[gpu]")
    yield Component("plain", "acme_needy.at_import:Needy")
    yield Component("later", "acme_needy.later:Later", extra="acme-needy[gpu]")
    yield Component("wrong_module", "acme_needy.nowhere:Needy", extra="acme-needy[gpu]")
    yield Component("wrong_name", "acme_needy.later:Latter")
    yield Component("raising", "acme_needy.raising:Never")
    yield Component("part_of_installed", "acme_needy.part:Never", extra="acme-needy[gpu]")
