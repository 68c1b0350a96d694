"""Planning: a component with everything nested in it is looked up and checked as a whole, and only then built."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from leaven.errors import LeavenError, ParameterError, nearest
from leaven.registry.calls import bound, parse_call
from leaven.registry.offers import Offer
from leaven.registry.parameters import Parameter, parameters_of, takes_text
from leaven.registry.recipes import remember

Path = tuple[str, ...]
"""Names of parameters and positions in lists, from the outermost component inwards."""

_DEEPEST = 32


class Problem(NamedTuple):
    """One thing that is wrong.

    ``text`` says what is wrong with the parameter or component at ``path``; ``error`` says the same about the component
    at ``owner``, and names the parameter itself.
    """

    path: Path
    text: str
    error: LeavenError
    owner: Path


class Plan(NamedTuple):
    """A call that makes one component; values in ``params`` may be plans, or contain them."""

    path: Path
    target: Callable[..., Any]
    params: Mapping[str, Any]
    label: str
    offer: Offer | None = None

    @property
    def is_nested(self) -> bool:
        """Whether other components are to be made for it."""
        return any(_has_plans(value) for value in self.params.values())


class Planner:
    """Plans components and collects every problem on the way.

    Args:
        find: from a spec string and the kind that is implied (or ``""``) to the offer.
    """

    def __init__(self, find: Callable[[str, str], Offer]) -> None:
        self._find = find
        self.problems: list[Problem] = []

    def plan(
        self,
        what: Any,
        kind: str = "",
        params: Mapping[str, Any] | None = None,
        path: Path = (),
        given: Collection[str] = (),
    ) -> Any:
        """Return the plan of a component, or ``what`` itself where it is built already.

        Args:
            what: spec string, which may be a call as in :mod:`leaven.registry.calls`; table with the key ``use`` (or
                ``preset``), for a dataset also ``views``, a list of datasets over it; class, or instance.
            kind: the kind that the position implies, or ``""``.
            params: further parameters, which win over those of a table.
            path: where the component stands.
            given: names of parameters that are given when it is built, and not before.
        """
        if len(path) > _DEEPEST:
            return self._problem(path, ParameterError(f"components are nested more than {_DEEPEST} deep"))
        params = params or {}
        if isinstance(what, Mapping):
            name = naming_key(what)
            if name not in what:
                return self._problem(path, ParameterError(f"a table for a {kind or 'component'} needs the key 'use'"))
            params = {key: value for key, value in what.items() if key != name} | dict(params)
            what = what[name]
            if not isinstance(what, (str, type)):
                return self._problem((*path, name), ParameterError(f"a name is needed here, and not {what!r}"))
        if isinstance(what, str):
            return self._plan_name(what, kind, params, path, given)
        if isinstance(what, type):
            return self.plan_call(what, params, what.__name__, path, given)
        if params:
            names = ", ".join(params)
            return self._problem(path, ParameterError(f"{type(what).__name__} is built already, and takes no {names}"))
        return what

    def plan_call(
        self,
        target: Callable[..., Any],
        params: Mapping[str, Any],
        label: str,
        path: Path = (),
        given: Collection[str] = (),
        offer: Offer | None = None,
    ) -> Plan | None:
        """Return the plan of a call of ``target``, after a check of its parameters' names."""
        try:
            known = parameters_of(target)
        except LeavenError as error:
            self._problem(path, error)
            return None
        self._check_names(params, known, label, path, given)
        values = {
            name: self._value(params[name], parameter, (*path, name))
            for name, parameter in known.items()
            if name in params and name not in given
        }
        defaults = {
            name: self._value(parameter.default, parameter, (*path, name))
            for name, parameter in known.items()
            if name not in params and name not in given and _names_components(parameter)
        }
        return Plan(path, target, values | defaults, label, offer)

    def _plan_name(self, spec: str, kind: str, params: Mapping[str, Any], path: Path, given: Collection[str]) -> Any:
        try:
            call = parse_call(spec)
            offer = self._find(call.spec, kind)
            target = offer.load()
            known = parameters_of(target)
            params = bound(call, target, known) | dict(params)
        except LeavenError as error:
            return self._problem(path, error)
        if offer.kind != "dataset" or "views" not in params or "views" in known:
            return self.plan_call(target, params, offer.spec, path, given, offer)
        rest = {name: value for name, value in params.items() if name != "views"}
        return self._viewed(self.plan_call(target, rest, offer.spec, path, given, offer), params["views"], path)

    def _viewed(self, planned: Any, views: Any, path: Path) -> Any:
        """Return the plan of a dataset with views over it, from the innermost to the outermost."""
        listed = [views] if isinstance(views, (str, Mapping)) else views
        if not isinstance(listed, (list, tuple)):
            return self._problem((*path, "views"), ParameterError(f"views={views!r}: expected a list of datasets"))
        for number, view in enumerate(listed):
            planned = self.plan(view, "dataset", {"dataset": planned}, (*path, "views", str(number)))
        return planned

    def _check_names(
        self, params: Mapping[str, Any], known: Mapping[str, Parameter], label: str, path: Path, given: Collection[str]
    ) -> None:
        free = [name for name in known if name not in given]
        for name in params:
            if name in given:
                self._parameter_problem(path, name, "is set by the program", f"{label}: {name!r} is set by the program")
            elif name not in known:
                advice = takes_text(name, free)
                error = f"{label} has no parameter {name!r}{advice}"
                self._parameter_problem(path, name, f"unknown parameter{advice}", error)
        meant = {nearest(name, free) for name in params if name not in known}
        for name in free:
            if known[name].required and name not in params and name not in meant:
                error = f"{label} needs the parameter {name!r}; it takes: {', '.join(free)}"
                self._parameter_problem(path, name, f"missing, and {label} needs it", error)

    def _value(self, value: Any, parameter: Parameter, path: Path) -> Any:
        if not parameter.takes:
            return self._tables_planned(value, path)
        many = any(taken.many for taken in parameter.takes)
        if type(value) in (list, tuple):
            if not many:
                return self._problem(path, ParameterError(f"takes one {parameter.kind or 'component'}, not a list"))
            return type(value)(self.plan(part, parameter.kind, path=(*path, str(i))) for i, part in enumerate(value))
        if isinstance(value, (str, Mapping, type)):
            planned = self.plan(value, parameter.kind, path=path)
            return [planned] if all(taken.many for taken in parameter.takes) else planned
        return value

    def _tables_planned(self, value: Any, path: Path) -> Any:
        """Plan the tables with ``use`` within a value whose parameter does not say what it takes."""
        if len(path) > _DEEPEST:
            return self._problem(path, ParameterError(f"tables are nested more than {_DEEPEST} deep"))
        if isinstance(value, dict) and isinstance(value.get("use"), str):
            return self.plan(value, path=path)
        if isinstance(value, dict):
            table = {key: self._tables_planned(part, (*path, str(key))) for key, part in value.items()}
            return table if any(table[key] is not value[key] for key in value) else value
        if type(value) in (list, tuple):
            parts = [self._tables_planned(part, (*path, str(i))) for i, part in enumerate(value)]
            return type(value)(parts) if any(a is not b for a, b in zip(parts, value, strict=True)) else value
        return value

    def _problem(self, path: Path, error: LeavenError) -> None:
        self.problems.append(Problem(path, str(error), error, path))

    def _parameter_problem(self, owner: Path, name: str, text: str, error: str) -> None:
        self.problems.append(Problem((*owner, name), text, ParameterError(error), owner))


def naming_key(table: Mapping[str, Any]) -> str:
    """Return the key of a component's table that names it: ``use``, or ``preset`` where there is that alone.

    Both mean the same; ``preset`` reads better where the other keys change what somebody else has chosen.
    """
    return "preset" if "preset" in table and "use" not in table else "use"


def build(plan: Any, given: Mapping[str, Any] | None = None) -> Any:
    """Build what was planned, innermost first; anything else is returned as it is.

    Raises:
        ParameterError: a constructor refused its values; path and component are in front of what it said.
        MissingPackageError: a constructor needs a package that is not installed.
        LeavenError: what else of ours a constructor raised, with the same in front.
    """
    if not _has_plans(plan):
        return plan
    if isinstance(plan, dict):
        return {key: build(value) for key, value in plan.items()}
    if not isinstance(plan, Plan):
        return type(plan)(build(value) for value in plan)
    params = {name: build(value) for name, value in plan.params.items()} | dict(given or {})
    made = _called(plan, params)
    component = plan.offer.qualified if plan.offer else ""
    version = plan.offer.plugin.version if plan.offer else ""
    target = plan.offer.component.target if plan.offer else plan.target
    return remember(made, target, params, component, version)


def _has_plans(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_plans(part) for part in value.values())
    return isinstance(value, Plan) or (type(value) in (list, tuple) and any(_has_plans(part) for part in value))


def _called(plan: Plan, params: Mapping[str, Any]) -> Any:
    path = ".".join(plan.path)
    front = ": ".join(part for part in (path, plan.label) if part)
    try:
        return plan.target(**params)
    except LeavenError as error:
        shown = path if str(error).startswith(f"{plan.label}: ") else front  # many say themselves who they are
        _set_text(error, f"{shown}: {error}" if shown else str(error))
        raise
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{front}: {error}") from error
    except ModuleNotFoundError as error:
        if plan.offer is None:
            raise
        raise plan.offer.import_failure(error) from error


def _names_components(parameter: Parameter) -> bool:
    """Whether the default has names or tables that stand for components."""
    return bool(parameter.takes) and isinstance(parameter.default, (str, Mapping, list, tuple))


def raise_problems(problems: Sequence[Problem]) -> None:
    """Raise what is wrong with a component, if anything is: all of it as one error, of the first problem's type."""
    if not problems:
        return
    texts = [f"{'.'.join(p.owner)}: {p.error}" if p.owner else str(p.error) for p in problems]
    first = problems[0].error
    _set_text(first, texts[0] if len(texts) == 1 else "\n  ".join([f"{len(texts)} problems", *texts]))
    raise first


def _set_text(error: LeavenError, text: str) -> None:
    """Change what an error says: it cannot be made anew, because its type may take more than a text."""
    error.args = (text, *error.args[1:])
