"""Views that change parts of samples."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from leaven import create
from leaven.data.adapters import Items
from leaven.data.getters import class_names, getall, getitem, has_all
from leaven.data.mode import ModeView
from leaven.errors import LeavenError, ParameterError, SampleError
from leaven.testing.tools import picture, png
from leaven_plugins.datasets.changes import LabelSmoothing, Map, MultiView, OneHot
from leaven_plugins.datasets.pictures import pixels_of


class Named(list):
    classes = ("ant", "bee", "cat")


def dataset(*classes):
    return Items(Named((position, label) for position, label in enumerate(classes)))


def double(value):
    return 2 * value


def drawn(value, random, ctx):
    if ctx is not None:
        ctx["drawn"] = int(random.integers(1000))
        return value + ctx["drawn"]
    return value + int(random.integers(1000))


def renamed(sample):
    return {**sample, "label": -sample["label"], "name": "x"}


# ---- map


def test_one_field_is_changed_and_others_are_read_without_it():
    view = Map(dataset(0, 1, 2), double, "x")
    assert view.sample(2) == {"key": "2", "image": 4, "label": 2}
    assert [getitem(view, name, 2) for name in ("x", "image", "label")] == [4, 4, 2]
    assert view.class_names == ("ant", "bee", "cat")

    def never(value):
        raise AssertionError("it was called")

    assert getitem(Map(dataset(0, 1), never, "image"), "label", 1) == 1


def test_a_changed_field_has_no_getter_of_all():
    class Targets(Named):
        targets = [0, 1]

    items = Items(Targets([(0, 0), (1, 1)]))
    assert has_all(items, "label")
    view = Map(items, "operator:neg", "label")
    assert not has_all(view, "label")
    assert getall(view, "y") == [0, -1]


def test_samples_are_changed_as_a_whole():
    view = Map(dataset(0, 1), renamed)
    assert view.sample(-1) == {"key": "1", "image": 1, "label": -1, "name": "x"}
    assert ModeView(view, "label name")[1] == (-1, "x")
    with pytest.raises(SampleError, match="sample 0: prepare failed: the function returned int instead of a mapping"):
        Map(dataset(0), len).sample(0)


def test_what_is_drawn_depends_on_seed_and_position_alone():
    view = Map(dataset(0, 0, 0), drawn, "image", seed=7)
    expected = [n + np.random.default_rng(7 + n).integers(1000) for n in range(3)]
    assert [view.sample(n)["image"] for n in (2, 0, 1)] == [expected[n] for n in (2, 0, 1)]
    assert ModeView(view, "x ctx.drawn")[1] == (expected[1], expected[1] - 1)


def test_functions_one_after_the_other_and_by_name():
    assert Map(dataset(0, 1), [double, "operator:neg"], "image").sample(1)["image"] == -2
    assert Map(dataset(5), ["operator:neg", "builtins:abs"], "label").sample(0)["label"] == 5


def test_an_op_gets_pixels_and_its_values_are_in_the_context():
    image = picture(seed=1)
    items = Items([(png(image), 0), (image, 0), (png(image), 0)])
    flip = {"use": "op:flip", "left_right": 0.5}
    view = create("dataset:map", dataset=items, function=flip, field="image", seed=0)
    flipped = [np.random.default_rng(n).random() < 0.5 for n in range(3)]
    for n in range(3):
        ctx = {}
        expected = image[:, ::-1] if flipped[n] else image
        assert (getitem(view, "x", n, ctx) == expected).all()
        assert (view.sample(n)["image"] == expected).all()
        assert ctx == {"flip_left_right": flipped[n], "flip_top_bottom": False}
    assert flipped == [False, False, True]


# ---- labels as vectors


def test_one_hot():
    view = OneHot(dataset(2, -1))
    assert view.sample(0)["label"].tolist() == [0, 0, 1]
    assert getitem(view, "class", 0).dtype == np.float32
    assert getitem(view, "y", 1).tolist() == [-1, -1, -1]
    assert OneHot(dataset(2), classes=5).sample(0)["label"].tolist() == [0, 0, 1, 0, 0]


@pytest.mark.parametrize("smoothing", [0.1, 0.5, 1.0])
def test_smoothed_labels_are_distributions(smoothing):
    vector = getitem(LabelSmoothing(dataset(1), smoothing), "label", 0)
    expected = (1 - smoothing) * np.eye(3)[1] + smoothing / 3
    np.testing.assert_allclose(vector, expected, rtol=1e-6)


def test_smoothing_of_nothing_and_of_yes_or_no():
    assert getitem(LabelSmoothing(dataset(2), 0), "label", 0) == 2
    view = LabelSmoothing(dataset(0, 1, -1), 0.2, classes=1)
    assert [getitem(view, "label", n) for n in range(3)] == [0.1, 0.9, -1]
    assert getitem(LabelSmoothing(dataset(-1), 0.2), "label", 0).tolist() == [-1, -1, -1]


# ---- several views


def test_views_of_an_image():
    view = MultiView(dataset(3, 4), [1, double, [2, double], {"views": 2}, {"function": "operator:neg"}])
    assert view.sample(1)["image"] == [1, 2, 2, 2, 1, 1, -1]
    assert getitem(view, "label", 1) == 4


def test_each_view_draws_for_itself_and_its_context_is_its_own():
    view = MultiView(dataset(0, 0), [[2, drawn]], seed=3)
    (one, other), ctx = ModeView(view, "x", return_ctx=True)[1]
    assert one != other
    assert ctx == {"view0": {"drawn": one - 1}, "view1": {"drawn": other - 1}}
    assert view.sample(1)["image"] == [one, other]


# ---- pictures


def test_pixels_of_files_and_arrays():
    image = picture()
    assert (pixels_of(png(image)) == image).all()
    assert pixels_of(image) is image
    grey = cv2.imencode(".png", image[:, :, 0])[1].tobytes()
    assert (pixels_of(grey) == image[:, :, :1]).all()


@pytest.mark.parametrize("wrong", [b"", b"no image", 5, png(picture())[:40]], ids=["empty", "text", "int", "cut"])
def test_what_is_no_picture(wrong):
    with pytest.raises(LeavenError):
        pixels_of(wrong)


# ---- refused


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Map(dataset(0), 5, "image"), "map: 5 is neither a function, the name of one, nor an op"),
        (lambda: Map(dataset(0), "double", "image"), "'double': expected a name such as 'package.module:name'"),
        (
            lambda: Map(dataset(0), "operator:nag", "image"),
            "map: 'operator:nag' cannot be imported: operator has no 'nag', did you mean",
        ),
        (lambda: Map(dataset(0), "no_such_module:f"), "cannot be imported: No module named 'no_such_module'"),
        (lambda: Map(dataset(0), drawn, "image"), "map: drawn leaves something to chance: give a seed"),
        (lambda: Map(dataset(0), double, "mask").sample(0), "no field 'mask'; it has: image, key, label"),
        (lambda: Map(dataset(0), double, "image", seed="1"), "map: seed='1': expected a whole number"),
        (lambda: OneHot(dataset(0), classes=0), "one_hot: classes=0"),
        (lambda: OneHot(dataset(3)).sample(0), "one_hot: label 3, but there are 3 classes; say how many"),
        (lambda: OneHot(Items([(0, "ant")]), classes=2).sample(0), "label 'ant': expected a whole number"),
        (lambda: LabelSmoothing(dataset(0), 1.5), "smoothing=1.5: expected a number, 0 to 1"),
        (lambda: MultiView(dataset(0), []), "configs=[]: expected a list of at least one"),
        (lambda: MultiView(dataset(0), [0]), "multi_view: views=0: expected a whole number, at least 1"),
        (lambda: MultiView(dataset(0), [{"n_views": 2}]), "no key 'n_views' of a view; there are: function, views"),
        (lambda: MultiView(dataset(0), [[drawn]]), "drawn leaves something to chance"),
    ],
    ids=range(15),
)
def test_what_makes_no_sense_is_refused(make, text):
    with pytest.raises(LeavenError) as error:
        make()
    assert text in str(error.value)


def test_vectors_of_so_many_classes_have_no_class_names():
    plain = Items([(0, 1), (1, 0)])
    views = [
        OneHot(plain, classes=10),
        LabelSmoothing(plain, 0.1, classes=10),
        create("dataset:random_labels(10)", dataset=plain),
    ]
    assert [class_names(view) for view in views] == [(), (), ()]
    assert len(create("dataset:concat", datasets=views)) == 6


def test_a_label_of_a_single_class_is_0_or_1():
    view = LabelSmoothing(dataset(0, 1, 2, -1), 0.5, classes=1)
    assert [getitem(view, "label", position) for position in (0, 1, 3)] == [0.25, 0.75, -1.0]
    with pytest.raises(ParameterError, match="label_smoothing: label 2, but of a single class it is 0 or 1"):
        getitem(view, "label", 2)


def test_a_view_by_no_function_at_all_is_the_value():
    assert MultiView(dataset(1), [{"function": []}, 1], "label").sample(0)["label"] == [1, 1]
    with pytest.raises(ParameterError, match="'': expected a name such as"):
        MultiView(dataset(1), [""], "label")
