from __future__ import annotations

import stat

import pytest

from leaven import Registry, create
from leaven.cli.main import run
from leaven.errors import ProtocolError, RecipeError, WorkerError
from leaven.registry.recipes import Recipe, recipe_of
from leaven.registry.references import Reference
from leaven.stream.versions import versions
from leaven_plugins.commands.worker.agreement import agreed
from leaven_plugins.transports.tcp.keys import make_keys


@pytest.fixture
def worker():
    draws = create("rng:mixture", rotation_sigma=5)
    return create("worker:classification", image=((1, 12, 12), "uint8"), image_rng=draws)


def spec_of(worker, **changes):
    """What a loader tells of its work."""
    recipe = worker if isinstance(worker, Recipe) else recipe_of(worker)
    spec = {"role": "loader", "worker": recipe.to_plain(), "collators": [], "versions": versions()}
    return {**spec, "dataset": None, "shared": True, "arena": 7, "owner": 1, "seed": 3, **changes}


def agreement(spec, any_versions=False, **registry):
    return agreed(spec, Registry(**registry), any_versions)


# ---- what is agreed on


def test_the_same_worker_is_made_here(worker):
    mixup = recipe_of(create("collator:mixup", classes=10))
    spec = agreement(spec_of(worker, collators=[mixup.to_plain()]))
    made = Recipe.from_plain(spec["worker"]).build()
    assert type(made) is type(worker)
    assert type(made.arguments["image_rng"]) is type(worker.arguments["image_rng"])
    assert Recipe.from_plain(spec["collators"][0]) == mixup
    assert (spec["dataset"], spec["shared"], spec["arena"], spec["seed"]) == (None, False, None, 3)


def test_a_worker_made_by_hand_of_a_class_that_is_declared_will_do():
    from leaven_plugins.workers.image.worker import ImageWorker

    made = ImageWorker(image=((1, 12, 12), "uint8"))
    assert recipe_of(made).component == ""
    assert Recipe.from_plain(agreement(spec_of(made))["worker"]).build().buffers == made.buffers


@pytest.mark.parametrize("target", ["os:system", "subprocess:run", "leaven_plugins.transports.tcp.keys:make_keys"])
def test_nothing_is_imported_because_a_loader_says_so(worker, target):
    for recipe in (Recipe(target, {}), Recipe(target, {}, "worker:acme/evil")):
        with pytest.raises(RecipeError, match=r"no component of a plugin here|not here"):
            agreement(spec_of(recipe))
    for value in (Recipe(target, {}), Reference(target), [{"deep": (Reference(target),)}]):
        recipe = Recipe(recipe_of(worker).target, {"image": value}, recipe_of(worker).component)
        with pytest.raises(RecipeError, match="no component of a plugin here"):
            agreement(spec_of(recipe))


def test_the_target_of_a_known_name_is_the_one_declared_here(worker):
    recipe = recipe_of(worker)
    evil = Recipe("os:system", recipe.params, recipe.component, recipe.version)
    assert agreement(spec_of(evil))["worker"]["target"] == recipe.target


def test_a_blocked_component_is_refused(worker):
    with pytest.raises(RecipeError, match=r"mixture.*blocked"):
        agreement(spec_of(worker), block=["rng:mixture"])


def test_other_versions_are_refused_unless_allowed(worker):
    spec = spec_of(worker, versions={**versions(), "numpy": "1.0", "acme": "2"})
    with pytest.raises(WorkerError, match=r"acme 2 there, not installed here; numpy 1\.0 there.*--allow-versions"):
        agreement(spec)
    agreement(spec, any_versions=True)


def test_another_version_of_a_component_is_refused(worker):
    recipe = recipe_of(worker)
    spec = spec_of(Recipe(recipe.target, recipe.params, recipe.component, "0.0.1"))
    with pytest.raises(WorkerError, match=r"worker:classification 0\.0\.1 there"):
        agreement(spec)


def test_opencv_is_the_same_with_and_without_windows(worker):
    there = {name.replace("opencv-python-headless", "opencv-python"): text for name, text in versions().items()}
    agreement(spec_of(worker, versions=there))


def test_only_loaders_are_worked_for(worker):
    with pytest.raises(WorkerError, match=r"'tasks' is done by the loader's own host"):
        agreement(spec_of(worker, role="tasks"))


@pytest.mark.parametrize("change", [{"worker": None}, {"worker": {}}, {"collators": 3}, {"versions": []}])
def test_a_malformed_description_is_an_error(worker, change):
    with pytest.raises((ProtocolError, RecipeError), match="malformed"):
        agreement({**spec_of(worker), **change})


def test_a_description_without_a_role_is_an_error():
    with pytest.raises(ProtocolError, match=r"malformed.*role"):
        agreement({})


# ---- the command


def test_keygen_says_what_goes_where_and_shows_no_key(tmp_path, capsys):
    assert run(["worker", "keygen", str(tmp_path / "keys"), "--worker", "node1"]) == 0
    out = capsys.readouterr().out
    assert str(tmp_path / "keys" / "loader") in out
    assert str(tmp_path / "keys" / "node1") in out
    for path in (tmp_path / "keys").rglob("*.*"):
        assert path.read_text().strip() not in out
        assert not stat.S_IMODE(path.stat().st_mode) & 0o022
    assert run(["worker", "keygen", str(tmp_path / "keys"), "--worker", "node1"]) == 1
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ([], 2, "--connect and --keys are needed"),
        (["--connect", "tcp://127.0.0.1:1"], 2, "--keys"),
        (["--connect", "nonsense", "--keys", "."], 1, "not an address"),
        (["--connect", "tcp://127.0.0.1:1", "--keys", "missing"], 1, "keygen"),
        (["--connect", "tcp://127.0.0.1:1", "--keys", ".", "--workers", "0"], 2, "--workers"),
    ],
)
def test_what_is_missing_is_told(arguments, code, text, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["worker", *arguments]) == code
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("tcp://127.0.0.1:0", "is to listen at"),
        ("tcp://127.0.0.1:*", "is to listen at"),
        ("tcp://*:5555", "is to listen at"),
        ("tcp://no.such.host.invalid:5555", "no such host"),
        (f"tcp://{'x' * 70}:5555", "no such host"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_at_once(address, text, tmp_path, capsys):
    _, host = make_keys(tmp_path, "a")
    assert run(["worker", "--connect", address, "--keys", str(host), "--workers", "1"]) == 1
    assert text in capsys.readouterr().err


class DyingSeat:
    """A seat whose worker dies in a row, until it has been told of often enough."""

    stopped, up, trouble, lanes = False, True, "", {}

    def __init__(self, *_):
        self.deaths = 0

    def step(self):
        if self.deaths == 3:
            raise KeyboardInterrupt

    def patience(self):
        return 0.0

    def sources(self):
        return []

    def ended(self):
        return True

    def bury(self):
        self.deaths += 1
        raise WorkerError("3 workers in a row died, the last one \x1b[2Jsaid:\nsomething")

    def leave(self):
        pass


@pytest.mark.parametrize("stay", [False, True])
def test_one_who_stays_stays_though_its_workers_die(stay, tmp_path, monkeypatch):
    from leaven_plugins.commands.worker.outpost import Outpost
    from leaven_plugins.transports.addresses import tcp_address
    from leaven_plugins.transports.tcp.keys import WorkerKeys

    monkeypatch.setattr("leaven_plugins.commands.worker.outpost.Seat", DyingSeat)
    _, host = make_keys(tmp_path, "a")
    told = []
    outpost = Outpost(tcp_address("tcp://127.0.0.1:1"), WorkerKeys(host), 1, dict, told.append, stay, 3.0)
    with pytest.raises(KeyboardInterrupt if stay else WorkerError):
        outpost.run()
    assert any("in a row died" in line for line in told) == stay
    assert "\x1b" not in "".join(told)
    assert all(line.count("\n") == ("in a row died" in line) for line in told)


def test_where_nobody_listens_it_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("leaven_plugins.commands.worker.outpost._ANSWER", 0.3)
    assert run(["worker", "keygen", str(tmp_path / "keys")]) == 0
    arguments = ["--connect", "tcp://127.0.0.1:1", "--keys", str(tmp_path / "keys" / "worker"), "--workers", "2"]
    assert run(["worker", *arguments]) == 1
    assert "cannot join a loader at tcp://127.0.0.1:1: nobody listens there" in capsys.readouterr().err
