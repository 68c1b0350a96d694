"""What another process makes a component from."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import RecipeError
from leaven.registry.files import MAIN, Source
from leaven.registry.recipes import Recipe, recipe_of, remember
from leaven.registry.references import Reference
from leaven.registry.registry import Registry
from leaven.stream.buffers import buffer_spec
from leaven.stream.worker import BufferWorker, Worker


def without_address(value):
    """Return a name that is the same in each process that collects the tests."""
    return re.sub(r" at 0x[0-9A-Fa-f]+", "", repr(value))


CORE = str(Path(__file__).parents[3] / "core")


class Keeper(Worker):
    """Keeps one value."""

    def __init__(self, value=None, other=None):
        self.value = value
        self.other = other


class NoConstructor(BufferWorker):
    pass


@dataclass(frozen=True)
class Frozen:
    size: int = 1
    inner: object = None


class Slotted:
    __slots__ = ("size",)

    def __init__(self, size=1):
        self.size = size


class Sharing(Keeper):
    """Hands on what it was given by whoever made it."""

    @property
    def shared_arguments(self):
        return {"other": self.other or ["mine"]}


class Point(NamedTuple):
    x: int
    y: int


def module_function(x):
    return x


def there_and_back(component):
    """What a worker process makes of a component."""
    return Recipe.from_plain(recipe_of(component).to_plain()).build()


# ---- what there is a recipe of


def test_recipe_of_a_component_made_by_name(fake):
    fake("good")
    worker = Registry().create("worker:boxes", image_rng={"use": "gale", "strength": 2.0})
    recipe = recipe_of(worker)
    assert recipe.target == "acme_boxes.worker:BoxWorker"
    assert (recipe.component, recipe.version, recipe.source) == ("worker:boxes/boxes", "1.2", None)
    assert recipe.params["image_rng"] == Recipe("acme_weather.rooms:Gale", {"strength": 2.0}, "rng:weather/gale", "1.2")
    assert [part.component for part in recipe.params["ops"]] == ["op:weather/snow", "op:weather/rain"]
    again = there_and_back(worker)
    assert type(again) is type(worker)
    assert (again.image_rng.strength, again.ops[1].prob) == (2.0, 1.0)
    assert recipe_of(again) == recipe


def test_recipe_of_a_worker_made_by_hand():
    recipe = recipe_of(Keeper(3, other=Keeper("x")))
    assert recipe.target == f"{__name__}:Keeper"
    assert dict(recipe.params) == {"value": 3, "other": Recipe(f"{__name__}:Keeper", {"value": "x"})}
    assert there_and_back(Keeper(3, other=Keeper("x"))).other.value == "x"


def test_recipe_of_a_buffer_worker_without_a_constructor():
    assert recipe_of(NoConstructor()) == Recipe(f"{__name__}:NoConstructor", {})


def test_recipe_of_a_frozen_dataclass():
    assert there_and_back(Frozen(3, Frozen(4))) == Frozen(3, Frozen(4))


def test_recipe_of_a_component_made_from_its_class(fake):
    made = Registry().create(Frozen, size=5)
    assert recipe_of(made) == Recipe(f"{__name__}:Frozen", {"size": 5})


def test_object_made_by_hand_has_none():
    text = r"^this Slotted was made by hand.*leaven\.create\(\.\.\.\), or use transport="
    with pytest.raises(RecipeError, match=text):
        recipe_of(Slotted())


def test_object_without_room_for_a_note_has_none(fake):
    with pytest.raises(RecipeError, match="this Slotted was made by hand"):
        recipe_of(Registry().create(Slotted))


def test_remember_returns_what_it_was_given():
    assert remember(None, Keeper, {}) is None
    slotted = Slotted()
    assert remember(slotted, Slotted, {}) is slotted


# ---- values

PLAIN = [
    None,
    True,
    0,
    -(1 << 63),
    (1 << 64) - 1,
    1.5,
    math.inf,
    "",
    "text",
    b"\x00\xff",
    [],
    [1, [2, "3"]],
    (1, (2,), []),
    {},
    {"a": {"b": (1, 2)}},
    {1: "one", (2, 3): None, "leaven:recipe": 4},
    {"leaven:tuple": [1]},
    Point(1, 2),
    int,
    float,
    np.uint8,
    np.dtype("uint8"),
    np.dtype(">f4"),
    np.dtype([("a", "u1"), ("b", "<f8", (2,))]),
    module_function,
    Keeper,
    math.sqrt,
    np.random.default_rng,
]


@pytest.mark.parametrize("value", PLAIN, ids=without_address)
def test_values_arrive_as_they_were(value):
    found = there_and_back(Keeper(value)).value
    assert found == value
    assert type(found) is type(value)


def test_arrays_and_scalars_are_left_to_the_message_format():
    array, scalar = np.arange(6).reshape(2, 3), np.float32(1.5)
    plain = recipe_of(Keeper(array, scalar)).to_plain()
    assert plain["params"]["value"] is array
    assert plain["params"]["other"] is scalar
    assert there_and_back(Keeper(array)).value is array


def test_recipe_crosses_as_a_message():
    from leaven.stream import wire

    spec = buffer_spec(((3, 4, 4), "float32", (1, 2, 3)))
    worker = Keeper({"spec": spec, 2: [np.float32(1), np.uint8]}, (1, "a"))
    again = Recipe.from_plain(wire.unpack(wire.pack(recipe_of(worker).to_plain()))).build()
    found = again.value["spec"]
    assert (found.shape, found.dtype) == (spec.shape, spec.dtype)
    np.testing.assert_array_equal(found.fill, spec.fill)
    assert again.value[2] == [np.float32(1), np.uint8]
    assert again.other == (1, "a")


def test_path_arrives_as_text(tmp_path):
    assert there_and_back(Keeper(tmp_path)).value == str(tmp_path)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.just(Frozen(2)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(0, 9) | st.just("leaven:pairs"), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
def test_any_plain_value_arrives_as_it_was(value):
    plain = recipe_of(Keeper(value)).to_plain()
    json.dumps(plain, default=bytes.hex)  # dicts with string keys, lists, and nothing else but bytes
    assert Recipe.from_plain(plain).build().value == value


# ---- what cannot be handed over


class Outer:
    class Inner(Worker):
        pass


def make_local_class():
    class Local(Worker):
        pass

    return Local


Local = make_local_class()


class Keeper2(Keeper):
    pass


Shadowed, Keeper2 = Keeper2, None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (lambda: 0, "value: a lambda cannot be handed to another process"),
        (Local, "value: make_local_class.<locals>.Local is defined within a function"),
        (Local(), "value: make_local_class.<locals>.Local is defined within a function"),
        ([{"a": Local()}], r"value\.0\.a: make_local_class"),
        (Keeper(Keeper(object())), r"value\.value\.value: no other process can be handed a value of type object"),
        (Keeper([Keeper(Local)]), r"value\.value\.0\.value: make_local_class"),
        (Shadowed(), "Keeper2 is another object than this one"),
        ({1, 2}, "value: no other process can be handed a value of type set"),
        (1 << 64, "value: 18446744073709551616 has more than 64 bits"),
        (np.array([None]), "value: an array of objects"),
        (np.random.default_rng(0), "value: this Generator was made by hand"),
        ("".join, "value: .*transport='inline'"),
    ],
    ids=without_address,
)
def test_values_that_no_other_process_can_have(value, text):
    with pytest.raises(RecipeError, match=text):
        recipe_of(Keeper(value))


def test_ways_out_are_named():
    with pytest.raises(
        RecipeError, match=r"put it into a module of its own, load it with -p file\.py, or use transport="
    ):
        recipe_of(Local())


def test_list_within_itself_ends():
    value: list = []
    value.append(value)
    with pytest.raises(RecipeError, match="nested more than 64 deep"):
        recipe_of(Keeper(value))


def test_inner_classes_are_found():
    assert type(there_and_back(Outer.Inner())) is Outer.Inner


def test_what_is_shared_goes_with_the_recipe():
    made = Sharing(3)
    assert recipe_of(made).params["other"] == ["mine"]
    (again,) = there_and_back(Keeper([made])).value
    assert (again.value, again.other) == (3, ["mine"])
    again.other.append("more")
    assert there_and_back(again).other == ["mine", "more"]


def test_only_a_class_says_what_is_shared():
    made = Keeper(3)
    made.shared_arguments = {"value": 4}
    assert there_and_back(made).value == 3


# ---- reading


GOOD = {"target": "math:sqrt", "params": {}, "component": "", "version": "", "source": None}


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        {},
        {**GOOD, "target": 3},
        {**GOOD, "params": [1]},
        {**GOOD, "params": {"a": {"leaven:nothing": 1}}},
        {**GOOD, "params": {"a": {"leaven:tuple": 1}}},
        {**GOOD, "params": {"a": {"leaven:tuple": [], "b": 1}}},
        {**GOOD, "params": {"a": {"leaven:pairs": [1]}}},
        {**GOOD, "params": {"a": {"leaven:pairs": [[[], 1]]}}},
        {**GOOD, "params": {"a": {"leaven:reference": []}}},
        {**GOOD, "params": {"a": {"leaven:recipe": {}}}},
        {**GOOD, "source": ["one"]},
        {**GOOD, "source": [1, 2]},
    ],
    ids=without_address,
)
def test_malformed_recipe(plain):
    with pytest.raises(RecipeError, match="malformed recipe"):
        Recipe.from_plain(plain)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("acme_nowhere:Thing", "acme_nowhere:Thing cannot be imported: ModuleNotFoundError"),
        ("math:sqroot", "AttributeError: math has no 'sqroot', did you mean 'sqrt'"),
    ],
)
def test_target_that_is_not_here(target, text):
    with pytest.raises(RecipeError, match=text):
        Recipe(target, {}).build()


# ---- files


PLUGIN = """
class Hail:
    def __init__(self, size=1, function=None):
        self.size = size

def melt():
    pass

@hookimpl
def leaven_ops():
    yield Component("hail", Hail)
"""


def test_recipe_of_a_single_file_plugin_names_the_file(plugin_file):
    path = plugin_file(PLUGIN)
    registry = Registry(plugins=[path])
    module = registry.plugins()[0].module
    hail = registry.create("op:hail", size=2, function=sys.modules[module].melt)
    recipe = recipe_of(hail)
    assert recipe.target == f"{module}:Hail"
    assert recipe.source == Source(path, recipe.source.sha256)
    assert recipe.params["function"] == Reference(f"{module}:melt", recipe.source)
    assert there_and_back(hail).size == 2

    plain = recipe.to_plain()
    del sys.modules[module]  # as in a process that has not seen the file
    again = Recipe.from_plain(plain).build()
    assert type(again) is not type(hail)
    assert type(again).__module__ == module
    assert recipe_of(again) == recipe


@pytest.mark.parametrize("change", ["content", "gone"])
def test_file_that_has_changed_is_refused(plugin_file, change):
    path = plugin_file(PLUGIN)
    registry = Registry(plugins=[path])
    recipe = recipe_of(registry.create("op:hail"))
    del sys.modules[registry.plugins()[0].module]
    if change == "gone":
        Path(path).unlink()
    else:
        Path(path).write_text(PLUGIN + "# more\n")
    with pytest.raises(RecipeError, match=r"has changed since the run was started|cannot be read in the worker"):
        recipe.build()


# ---- scripts


SCRIPT = """
import json, sys
sys.path.insert(0, {core!r})
from leaven.registry.recipes import recipe_of
from leaven.stream.worker import Worker

def halve(x):
    return x / 2

class Mine(Worker):
    def __init__(self, function=None):
        self.function = function

if __name__ == "__main__":
    print(json.dumps(recipe_of(Mine(halve)).to_plain()))
"""


def run(*arguments, cwd=None):
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


CHILD = f"""
import json, sys
sys.path.insert(0, {CORE!r})
from leaven.errors import LeavenError
from leaven.registry.recipes import Recipe
try:
    made = Recipe.from_plain(json.loads(sys.argv[1])).build()
    print(json.dumps([type(made).__module__, made.function(3)]))
except LeavenError as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""


@pytest.mark.parametrize("name", ["script.py", "script"])
def test_class_of_a_script_is_made_in_another_process_without_running_its_main(tmp_path, name):
    script = tmp_path / name
    script.write_text(SCRIPT.format(core=CORE))
    plain = run(str(script))
    assert plain["target"] == f"{MAIN}:Mine"
    assert plain["source"][0] == str(script)
    assert run("-c", CHILD, json.dumps(plain)) == [MAIN, 1.5]


def test_script_that_is_run_as_a_module_keeps_its_name(tmp_path):
    (tmp_path / "acme_run").mkdir()
    (tmp_path / "acme_run" / "tool.py").write_text(SCRIPT.format(core=CORE))
    plain = run("-m", "acme_run.tool", cwd=tmp_path)
    assert (plain["target"], plain["source"]) == ("acme_run.tool:Mine", None)


def test_changed_script_is_refused(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(core=CORE))
    plain = run(str(script))
    script.write_text(SCRIPT.format(core=CORE) + "# more\n")
    kind, text = run("-c", CHILD, json.dumps(plain))
    assert kind == "RecipeError"
    assert text == f"{script} has changed since the run was started: start the run again"


def test_script_without_a_guard_says_so(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(core=CORE).replace('if __name__ == "__main__":', "if True:") + "    sys.exit(0)\n")
    plain = run(str(script))
    done = subprocess.run([sys.executable, "-c", CHILD, json.dumps(plain)], capture_output=True, text=True, check=True)
    kind, text = json.loads(done.stdout.splitlines()[-1])
    assert kind == "RecipeError"
    assert "belongs under if __name__ == '__main__'" in text
    assert "SystemExit: 0" in text


def test_class_of_a_notebook_is_refused():
    code = textwrap.dedent(f"""
        import json, sys
        sys.path.insert(0, {CORE!r})
        from leaven.errors import RecipeError
        from leaven.registry.recipes import recipe_of
        from leaven.stream.worker import Worker
        class Mine(Worker):
            def __init__(self, inner=None):
                self.inner = inner
        try:
            recipe_of(Mine(Mine()))
        except RecipeError as error:
            print(json.dumps(str(error)))
    """)
    assert run("-c", code) == (
        "Mine is defined in a notebook or at a prompt, where no other process finds it: "
        "put it into a module of its own, load it with -p file.py, or use transport='inline'"
    )
