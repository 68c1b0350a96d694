from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import types

import cv2
import numpy as np
import pytest

from leaven import Registry, TurboDataLoader
from leaven.errors import DatasetError
from leaven.protocols import ImageInfo
from leaven_plugins.commands.bench.peers import corpus as making
from leaven_plugins.commands.bench.peers import photographs as looking
from leaven_plugins.commands.bench.peers.corpus import corpus
from leaven_plugins.commands.bench.peers.photographs import Photograph, photographs
from leaven_plugins.commands.bench.peers.quality import MOST, psnr_of, references
from leaven_plugins.commands.bench.peers.runners import pictures
from leaven_plugins.commands.bench.peers.shaping import Shape, large_shape, shaped, small_shape
from leaven_plugins.commands.bench.peers.works import BLUR, NOISE, NOISE_RGB_DEVIATION, SIZE, WORKS, leaven_worker
from leaven_plugins.datasets.msgpack import MsgpackDataset

SHIPPED = [Photograph("chelsea", "leaven")]


@pytest.fixture(scope="module")
def registry():
    return Registry(builtin_only=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory, registry):
    return corpus(tmp_path_factory.mktemp("corpus"), "small", 12, 3, lambda: SHIPPED, registry)


def contents(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".tar")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# ---- the corpus


def test_the_same_seed_gives_the_same_bytes(made, tmp_path, registry):
    again = corpus(tmp_path, "small", 12, 3, lambda: SHIPPED, registry)
    assert contents(again.folder) == contents(made.folder)
    other = corpus(tmp_path, "small", 12, 4, lambda: SHIPPED, registry)
    assert other.folder != again.folder
    assert not set(contents(other.folder / "images").values()) & set(contents(made.folder / "images").values())
    assert sorted(path.name for path in tmp_path.iterdir()) == [again.folder.name, other.folder.name]


def test_images_are_the_same_whatever_else_is_made(made, tmp_path, registry):
    fewer = corpus(tmp_path, "small", 5, 3, lambda: SHIPPED, registry)
    assert [file.read_bytes() for file in fewer.files] == [file.read_bytes() for file in made.files[:5]]


def test_sizes_are_those_of_imagenet():
    shapes = [small_shape(np.random.default_rng(number)) for number in range(4000)]
    widths, heights = ([getattr(shape, side) for shape in shapes] for side in ("width", "height"))
    assert np.mean(widths) == pytest.approx(486, rel=0.02)
    assert np.mean(heights) == pytest.approx(413, rel=0.02)
    landscape = np.mean([shape.width > 1.1 * shape.height for shape in shapes])
    assert 0.7 < landscape < 0.8
    sizes = [shape.width * shape.height * shape.bytes_per_pixel for shape in shapes]
    assert 94e3 < np.mean(sizes) < 110e3
    large = [large_shape(np.random.default_rng(number)) for number in range(500)]
    assert {(shape.width, shape.height) for shape in large} == {(4000, 3000)}
    assert np.mean([12e6 * shape.bytes_per_pixel for shape in large]) == pytest.approx(3.4e6, rel=0.02)


@pytest.mark.parametrize("density", [0.4, 0.6, 0.9])
def test_grain_gives_a_file_its_size(density):
    shape = Shape(500, 375, density, 1.0, 8)
    random = np.random.default_rng(1)
    data = shaped(SHIPPED[0].pixels(), shape, random)
    assert len(data) == pytest.approx(density * 500 * 375, rel=0.08)
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (375, 500, 3)
    start = data.index(b"\xff\xc0")  # the frame: number of components, then each with its sampling
    assert data[start + 9] == 3
    assert [data[start + 11 + 3 * part] for part in range(3)] == [0x22, 0x11, 0x11]


def test_the_manifest_says_what_is_there(made):
    manifest = json.loads((made.folder / "manifest.json").read_text())
    assert manifest["count"] == len(list((made.folder / "images").iterdir())) == 12
    assert manifest["mean_bytes"] == pytest.approx(np.mean([file.stat().st_size for file in made.files]), abs=0.1)
    shapes = [cv2.imread(str(file)).shape for file in made.files]
    assert manifest["mean_width"] == pytest.approx(np.mean([shape[1] for shape in shapes]), abs=0.1)
    assert manifest["mean_height"] == pytest.approx(np.mean([shape[0] for shape in shapes]), abs=0.1)
    assert manifest["packages"] == {"leaven": 1}
    assert manifest["sources"] == ["chelsea"]
    assert (manifest["kind"], manifest["seed"]) == ("small", 3)


def test_the_same_images_packed_and_in_an_archive(made, registry):
    files = [file.read_bytes() for file in made.files]
    with tarfile.open(made.folder / "images.tar") as archive:
        assert [archive.extractfile(member).read() for member in archive] == files
    dataset = MsgpackDataset(made.packed)
    worker = registry.create("worker:image", image=((3, 8, 8), "uint8"))
    assert len(dataset) == 12
    assert [dataset.key(position) for position in range(2)] == ["000000", "000001"]
    with TurboDataLoader(dataset, 12, worker, 0, registry=registry) as loader:
        ((_, (batch,)),) = loader
    assert batch["image"].any()
    dataset.close()


def test_a_corpus_that_cannot_be_made_is_not_half_there(tmp_path, registry):
    def photographs():
        return [Photograph(str(tmp_path / "gone.jpg"), "some-package")]

    with pytest.raises(DatasetError, match=r"the corpus cannot be made: No such file"):
        corpus(tmp_path / "corpora", "small", 3, 0, photographs, registry)
    assert list((tmp_path / "corpora").iterdir()) == []


def test_repacked_images_carry_an_index(tmp_path, made, registry, monkeypatch):
    asked = []

    def repack(data, interval, exif, icc, others):
        asked.append((interval, exif, icc, others))
        return b"repacked" + data

    native = types.SimpleNamespace(repack=repack, make_index=lambda data, interval: b"%d %d" % (len(data), interval))
    monkeypatch.setattr(making, "import_module", lambda name: native if name == "leaven_turbo._native" else None)
    found = corpus(tmp_path, "small", 2, 0, lambda: SHIPPED, registry)
    path = found.indexed(registry)
    assert found.indexed(registry) == path
    assert asked == [(4, True, True, True)] * 2
    from leaven.stream.wire import unpack_sample

    dataset = MsgpackDataset(path)
    for position, file in enumerate(found.files):
        sample = unpack_sample(dataset.sample(position))
        assert sample["image"] == b"repacked" + file.read_bytes()
        assert sample["image_index"] == b"%d 4" % len(sample["image"])
        assert (sample["key"], sample["label"]) == (file.stem, position)
    dataset.close()


# ---- photographs


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def test_photographs_of_packages(tmp_path, monkeypatch):
    rough = np.random.default_rng(0).integers(0, 256, (1000, 1200, 3), np.uint8)
    write(tmp_path / "a" / "rough.jpg", rough)
    write(tmp_path / "a" / "flat.jpg", np.full_like(rough, 90))
    write(tmp_path / "a" / "small.jpg", rough[:500])
    write(tmp_path / "a" / "drawn.png", rough)
    (tmp_path / "a" / "damaged.jpg").write_bytes(b"no image")
    (tmp_path / "a" / "empty.jpg").write_bytes(b"")
    write(tmp_path / "b" / "images" / "1200x1000.jpg", rough)
    write(tmp_path / "b" / "images" / "2400x2000.jpg", cv2.resize(rough, None, fx=2, fy=2, interpolation=0))
    names = [tmp_path / "a" / "rough.jpg", tmp_path / "b" / "images" / "2400x2000.jpg"]

    def dpkg(command, **options):
        assert command == ["dpkg-query", "-S", *map(str, names)]
        return types.SimpleNamespace(stdout=f"some-backgrounds: {names[0]}\n")

    monkeypatch.setattr(looking.subprocess, "run", dpkg)
    found = photographs([tmp_path / "a", tmp_path / "b", tmp_path / "none"])
    assert found == [Photograph(str(names[0]), "some-backgrounds"), Photograph(str(names[1]), "unknown")]
    assert found[0].pixels().shape == (1000, 1200, 3)


def test_the_shipped_photograph_where_no_package_has_any(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)
    assert photographs([tmp_path]) == SHIPPED
    assert SHIPPED[0].pixels().shape == (300, 451, 3)


# ---- the works


def test_noise_of_the_op_is_as_strong_as_everybody_elses(registry):
    op = registry.create("op:noise_rgb")
    image = np.full((SIZE, SIZE, 3), 128, np.uint8)
    for level in NOISE:
        noisy = op.apply(image, {"noise": level / NOISE_RGB_DEVIATION}, np.random.default_rng(0))
        assert noisy.std(axis=(0, 1)).mean() > 0
        assert np.sqrt(((noisy.astype(float) - 128) ** 2).mean()) == pytest.approx(level, rel=0.06)


def test_leavens_worker_draws_within_the_ranges_of_the_work(registry):
    worker = registry.create(leaven_worker(WORKS["full"]))
    assert worker.buffers["image"].shape == (3, SIZE, SIZE)
    (noise, blur) = (op for op in leaven_worker(WORKS["full"])["ops"] if op["use"] in ("op:noise_rgb", "op:blur"))
    assert [strength * NOISE_RGB_DEVIATION for strength in noise["noise_range"]] == pytest.approx(list(NOISE))
    assert [sigma * SIZE for sigma in blur["blur_range"]] == pytest.approx(list(BLUR))
    for name in ("rrc", "val", "large"):
        assert leaven_worker(WORKS[name])["ops"] == []
        registry.create(leaven_worker(WORKS[name]))


def test_probabilities_of_both_implementations(registry):
    """A half of all images get noise, a half blur, and an eighth neither brightness, contrast nor colour."""
    ops = [registry.create(table) for table in leaven_worker(WORKS["full"])["ops"]]
    random, info = np.random.default_rng(0), ImageInfo(SIZE, SIZE, 3)
    drawn = [[op.applies(op.draw(random, info)) for op in ops] for _ in range(2000)]
    assert np.mean(drawn, 0) == pytest.approx([7 / 8, 1 / 2, 1 / 2], abs=0.04)
    grey = np.full((8, 8, 3), 100, np.uint8)
    grey[:, 4:] = 180
    same = [np.array_equal(pictures.with_pixels_changed(grey, random), grey) for _ in range(2000)]
    assert np.mean(same) == pytest.approx(1 / 32, abs=0.02)


def test_validation_of_leaven_shows_the_same_part(made, registry):
    worker = registry.create(leaven_worker(WORKS["val"]))
    with TurboDataLoader(MsgpackDataset(made.packed), 12, worker, 0, registry=registry) as loader:
        ((_, (batch,)),) = loader
        for image, file in zip(batch["image"], made.files, strict=True):
            smooth = [
                cv2.blur(np.ascontiguousarray(each.transpose(1, 2, 0)), (9, 9))
                for each in (image, next(references(file)))
            ]
            assert cv2.PSNR(*smooth) > 35


def test_random_crops_have_the_areas_and_proportions_that_they_are_to_have():
    random = np.random.default_rng(0)
    found = np.array([pictures._crop(375, 500, random) for _ in range(3000)], float)
    top, left, height, width = found.T
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + height <= 375).all()
    assert (left + width <= 500).all()
    area, ratio = height * width / (375 * 500), width / height
    assert 0.078 < area.min() < 0.1
    assert area.max() > 0.9
    assert 0.74 < ratio.min() < 0.78
    assert 1.3 < ratio.max() < 1.35
    assert pictures._crop(10, 1000, random)[2] == 10  # of which no rectangle of these proportions fits


def test_quality_of_images(tmp_path, made):
    expected = np.stack([next(references(file)) for file in made.files[:3]])
    assert expected.shape == (3, 3, SIZE, SIZE)

    def quality(images, labels=(0, 1, 2)):
        np.savez(tmp_path / "samples.npz", images=images, labels=np.array(labels))
        return psnr_of((tmp_path / "samples.npz").read_bytes(), made.files)

    assert quality(expected) == MOST
    assert quality(expected[::-1], (2, 1, 0)) == MOST
    assert quality(np.stack([list(references(file))[-1] for file in made.files[:3]])) == MOST
    off = expected ^ 1  # by one everywhere
    assert quality(off) == pytest.approx(20 * np.log10(255), abs=1e-6)
    assert quality(expected[:0], ()) is None


@pytest.mark.parametrize(("width", "height", "apart"), [(384, 384, 0), (576, 384, 0), (500, 375, 0.733)])
def test_both_references_show_the_same_but_for_where_the_middle_is_cut_out(tmp_path, width, height, apart):
    """A ramp tells the place: of 500 x 375 pixels, 341 remain; 58 + 112 of these are 249.267 of the source."""
    ramp = np.broadcast_to(np.arange(width)[:, None] // 2, (height, width, 3)).astype(np.uint8)
    (tmp_path / "ramp.png").write_bytes(cv2.imencode(".png", ramp)[1].tobytes())
    whole, exact = references(tmp_path / "ramp.png")
    difference = exact.astype(float).mean() - whole.astype(float).mean()
    assert difference == pytest.approx(apart / 2, abs=0.02)


def test_an_image_that_is_enlarged_has_one_reference(tmp_path):
    (tmp_path / "small.png").write_bytes(cv2.imencode(".png", np.zeros((200, 300, 3), np.uint8))[1].tobytes())
    assert len(list(references(tmp_path / "small.png"))) == 1
