from __future__ import annotations

import numpy as np
import pytest

import leaven
from leaven.errors import ParameterError
from leaven.testing.tools import run_worker, samples

IMAGE = ((3, 16, 20), "uint8")
OPS = ["autocontrast", "brighten", "contrast_factor", "equalize", "posterize", "saturate", "sharpen", "solarize"]


def worker(image_rng, **parameters):
    return leaven.create("worker:image", image=IMAGE, image_rng=image_rng, **parameters)


def test_a_schedule_follows_the_epochs_of_the_samples():
    rng = {"use": "scheduled", "epochs": 2, "rng": {"use": "mixture", "rotation_sigma": 30}}
    angles = {
        epoch: [values["angle"] for values in run_worker(worker(rng), samples(8), epoch=epoch)["augmentation"]]
        for epoch in (0, 1, 2)
    }
    assert angles[0] == [0] * 8
    assert 0 < np.std(angles[1]) < 40
    assert np.std(angles[2]) > 8
    full = run_worker(worker(rng["rng"]), samples(8), epoch=1)["augmentation"]
    assert angles[1] == pytest.approx([values["angle"] / 2 for values in full])


@pytest.mark.parametrize("name", ["rand_augment", "trivial_augment"])
def test_a_recorded_draw_makes_the_same_image_again(name):
    made = run_worker(worker({"use": name, "base": {"preset": "imagenet"}}, ops=OPS), samples(8))
    plain = run_worker(worker(None), samples(8))
    assert (made["image"] != plain["image"]).reshape(8, -1).any(1).all()
    for row, (sample, values) in enumerate(zip(samples(8), made["augmentation"], strict=True)):
        fixed = {key: value for key, value in values.items() if key != "gpu_augmentation"}
        again = run_worker(worker(None, image_params=fixed, ops=OPS), [sample])
        np.testing.assert_array_equal(again["image"][0], made["image"][row])


def test_ops_run_in_the_order_in_which_they_were_drawn():
    rng = {"use": "rand_augment", "names": ["solarize", "equalize"], "magnitude": 6}
    made = run_worker(worker(rng, ops=["solarize", "equalize"]), samples(12))
    orders = {tuple(values["order"]) for values in made["augmentation"]}
    assert orders == {("solarize", "equalize"), ("equalize", "solarize")}
    for row, values in enumerate(made["augmentation"]):
        image = run_worker(worker(None), [samples(12)[row]])["image"][0].transpose(1, 2, 0)
        for name in values["order"]:
            image = leaven.create(f"op:{name}").apply(image, values, np.random.default_rng(0))
        np.testing.assert_array_equal(made["image"][row], image.transpose(2, 0, 1))


def test_a_worker_that_does_not_fit_is_refused_when_it_is_made():
    with pytest.raises(ParameterError, match=r'worker:image: rng rand_augment draws .* add "solarize" to ops'):
        worker("rand_augment", ops=[name for name in OPS if name != "solarize"])
    with pytest.raises(ParameterError, match="random_resized_crop draws a place in the image"):
        worker("imagenet", image_params={"scale": 1.2})
