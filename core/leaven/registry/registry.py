"""Registry: from the name of a component to an object."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from leaven.errors import DeclarationError, RecipeError
from leaven.kinds import kind_named
from leaven.registry.blocks import Block, blocks_from, blocks_from_environment, split_requests
from leaven.registry.discovery import discover
from leaven.registry.files import existing_file
from leaven.registry.lookup import Lookup, parse_spec
from leaven.registry.offers import Offer
from leaven.registry.plugins import Plugin
from leaven.registry.sources import is_file

if TYPE_CHECKING:
    from leaven.registry.planning import Planner
    from leaven.registry.recipes import Recipe


class Registry:
    """All components that can be found by name. Plugins are discovered when a name is first looked up.

    The environment variables ``LEAVEN_BLOCK`` (names to block, separated by commas) and ``LEAVEN_STRICT=1`` (a broken
    plugin is an error) are read when the registry is made.

    Args:
        block: plugins (``"blur"``) and single components (``"op:blur"``) that are not to be used.
        plugins: further plugins, as the option ``-p`` takes them: ``"./file.py"``, the import name of a module, or
            ``"no:NAME"`` to block one. One that was asked for and is broken is an error.
        builtin_only: block what other distributions than leaven installed.

    Raises:
        UnknownName: a plugin's file or a blocked kind does not exist. Other names are checked at the first look-up.
    """

    def __init__(
        self, block: Iterable[str | Block] = (), plugins: Iterable[str] = (), builtin_only: bool = False
    ) -> None:
        wanted, refused = split_requests([plugins] if isinstance(plugins, str) else plugins)
        self._requests = tuple(existing_file(request) if is_file(request) else request for request in wanted)
        chosen = blocks_from([block] if isinstance(block, (str, Block)) else block, "Registry(block=...)")
        self._blocks = (*refused, *chosen)
        self._from_environment = blocks_from_environment(os.environ.get("LEAVEN_BLOCK", ""))
        self._strict = os.environ.get("LEAVEN_STRICT", "0") not in ("", "0")
        self._builtin_only = builtin_only

    def extended(self, block: Iterable[str | Block] = (), plugins: Iterable[str] = ()) -> Registry:
        """Return a registry with further blocks and plugins, as a configuration asks for them."""
        return Registry((*self._blocks, *block), (*self._requests, *plugins), self._builtin_only)

    @cached_property
    def _lookup(self) -> Lookup:
        blocks = (*self._blocks, *self._from_environment)
        return Lookup(discover(blocks, self._requests, self._builtin_only, self._strict), blocks)

    def plugins(self) -> list[Plugin]:
        """Return all plugins by name, with those that are blocked or broken."""
        return list(self._lookup.plugins)

    @property
    def broken(self) -> list[Plugin]:
        """The plugins that could not be loaded, each with its ``cause``."""
        return [plugin for plugin in self.plugins() if plugin.state == "broken"]

    def offers(self, kind: str | None = None, hidden: bool = False) -> list[Offer]:
        """Return what is offered, by kind and name.

        Args:
            kind: of this kind only.
            hidden: also what cannot be found by its plain name, because it is replaced or blocked.

        Raises:
            UnknownName: there is no such kind.
        """
        if kind:
            kind_named(kind)
        offers = [offer for offer in self._lookup.offers if kind in (None, offer.kind)]
        return [offer for offer in offers if hidden or not (offer.replaced_by or offer.blocked_by)]

    def find(self, spec: str, kind: str | None = None) -> Offer:
        """Return the offer that a spec string ``[kind:][plugin/]name`` means; ``kind`` where the position implies it.

        Raises:
            LookupFailed: there is not exactly one; the subclass and the text say why and what to do.
        """
        return self._lookup.find(parse_spec(spec, kind or ""))

    def create(self, what: Any, /, *, kind: str | None = None, **params: Any) -> Any:
        """Make a component, with the components that its parameters name.

        A parameter that is annotated with a protocol of :mod:`leaven.protocols` takes a component: where it is given
        (or has as default) a name or a table with the key ``use``, alone or in a list, that component is made first.

        Args:
            what: spec string, table ``{"use": spec, ...}``, class, or an instance, which is returned as it is.
            kind: the kind that the position implies.
            **params: parameters of the constructor, which win over those of a table.

        Raises:
            LookupFailed: a name does not lead to a component.
            ParameterError: a parameter does not exist, is missing, or its value is refused by the constructor.
            MissingPackageError: a package is not installed; the text says what to install.
        """
        from leaven.registry.planning import build, raise_problems

        planner = self.planner()
        plan = planner.plan(what, kind or "", params)
        raise_problems(planner.problems)
        return build(plan)

    def planner(self) -> Planner:
        """Return a planner that looks names up here."""
        from leaven.registry.planning import Planner  # 10 ms, for those who make something

        return Planner(self.find)

    def resolve(self, what: Any, kind: str | None = None) -> tuple[Any, Recipe | None]:
        """Return a component, and what other processes make the same one from, or ``None`` where they cannot.

        An instance that was made by hand, but tells its arguments, is made again where names are among these.

        Args:
            what: as for :meth:`create`.
            kind: the kind that the position implies.

        Raises:
            LookupFailed, ParameterError, MissingPackageError: as for :meth:`create`.
        """
        from leaven.registry.recipes import recipe_of

        made = self._with_names_resolved(self.create(what, kind=kind))
        try:
            return made, recipe_of(made)
        except RecipeError:  # it may still work in this process; recipe_of(made) says why not in others
            return made, None

    def _with_names_resolved(self, made: Any) -> Any:
        from leaven.registry.planning import Plan, build, raise_problems
        from leaven.registry.recipes import arguments_of, is_remembered

        arguments: Mapping[str, Any] | None = None if is_remembered(made) else arguments_of(made)
        if arguments is None:
            return made
        planner = self.planner()
        plan = planner.plan_call(type(made), arguments, type(made).__name__)
        if any(isinstance(problem.error, DeclarationError) for problem in planner.problems):
            return made  # a signature that create() would not take
        raise_problems(planner.problems)
        return build(plan) if isinstance(plan, Plan) and plan.is_nested else made


@cache
def default_registry() -> Registry:
    """Return the registry that is used where none is given: all installed plugins but those in ``LEAVEN_BLOCK``."""
    return Registry()


def create(what: Any, /, *, kind: str | None = None, **params: Any) -> Any:
    """Make a component with the default registry; see :meth:`Registry.create`."""
    return default_registry().create(what, kind=kind, **params)
