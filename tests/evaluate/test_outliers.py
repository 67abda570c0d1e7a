"""Outliers: planted ones are found, with the right reason, and the space's own test images are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.models import as_vae

from morphospace.data import Dataset, ImageArray
from morphospace.errors import FileError
from morphospace.evaluate import OutlierFigures, outlier_figures, reconstruction_errors
from morphospace.images import Images
from morphospace.space import Space, load
from morphospace.training.loop import to_input
from morphospace.workflow import train


@pytest.fixture
def errors(space: Space, digits: Dataset) -> np.ndarray:
    codes = space.encode(digits.test.images).mean
    return reconstruction_errors(space, digits.test.images, codes)


def found_of(space: Space, images: ImageArray, reference: np.ndarray | None) -> OutlierFigures:
    codes = space.encode(images).mean
    return outlier_figures(reconstruction_errors(space, images, codes), space.typicality(codes), reference)


def noise(n: int) -> Images:
    return np.random.default_rng(0).integers(0, 256, (n, 8, 8, 1), np.uint8)


def test_errors_are_minus_the_log_likelihood_in_nats(space: Space, digits: Dataset, errors: np.ndarray) -> None:
    image = digits.test.images[7:8]
    p = space.decode(space.encode(image).mean, dtype="float").astype(np.float64).clip(1e-7, 1 - 1e-7)
    grey = image / 255
    assert errors[7] == pytest.approx(-(grey * np.log(p) + (1 - grey) * np.log(1 - p)).sum(), rel=1e-4)
    with torch.inference_mode():
        x, z = torch.from_numpy(digits.test.images), torch.from_numpy(space.encode(digits.test.images).mean)
        model = as_vae(space.model)
        log_px = model.likelihood.log_prob(model.decode(z)[None], to_input(x))
    assert np.allclose(errors, -log_px[0].numpy(), rtol=1e-5)


def test_training_leaves_the_errors_of_the_test_images(digits: Dataset) -> None:
    trained = train(digits, epochs=1, precision="fp32")
    assert trained.errors is not None
    codes = trained.encode(digits.test.images).mean
    assert np.allclose(trained.errors, reconstruction_errors(trained, digits.test.images, codes), rtol=1e-5)


def test_errors_are_kept_and_checked(space: Space, errors: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "s"
    space.save(path)
    assert load(path).errors is None, "as in bundles of older versions"
    space.errors = errors
    space.save(path, force=True)
    kept = load(path).errors
    assert kept is not None
    assert (kept == errors).all()
    space.errors = errors[:-1]
    space.save(path, force=True)
    with pytest.raises(FileError, match=r"reference\.safetensors is damaged: errors: expected shape"):
        load(path)


def test_labels_are_checked(space: Space, tmp_path: Path) -> None:
    path, labels = tmp_path / "s", space.reference_labels
    assert labels is not None
    try:
        for bad in (labels[:-1], labels - 1, labels.astype(np.float32)):
            space.reference_labels = np.asarray(bad)
            space.save(path, force=True)
            with pytest.raises(FileError, match=r"reference\.safetensors is damaged: labels: expected"):
                load(path)
    finally:
        space.reference_labels = labels


def test_planted_noise_is_found(space: Space, digits: Dataset, errors: np.ndarray) -> None:
    found = found_of(space, np.concatenate([digits.train.images[:200], noise(5)]), errors)
    assert set(found.worst(5).tolist()) == set(range(200, 205))
    assert found.badly_reconstructed[200:].all()
    assert found.outliers[:200].mean() < 0.03
    assert found.reasons(200)[0] == "badly reconstructed (worse than all of the test images)"
    assert found.summary().startswith(f"{100 * found.outliers.mean():.1f} % of 205 images are outliers: ")


def test_an_image_in_an_empty_region_is_found(space: Space, digits: Dataset, errors: np.ndarray) -> None:
    codes = space.encode(digits.test.images).mean
    codes[[3, 30]] = [[25, 0], [0, -25]]
    made = space.decode(codes)
    found = outlier_figures(reconstruction_errors(space, made, codes), space.typicality(codes), errors)
    assert found.in_an_empty_region.nonzero()[0].tolist() == [3, 30]
    assert set(found.worst(2).tolist()) == {3, 30}
    assert found.reasons(3) == ["in an empty region"]
    assert "2 in an empty region" in found.summary()


def test_its_own_test_images_are_not(space: Space, digits: Dataset, errors: np.ndarray) -> None:
    found = found_of(space, digits.test.images, errors)
    assert found.outliers.mean() <= 0.02
    assert found.share.min() >= 1 / len(errors), "each is as bad as itself"
    assert found.share.max() == 1


def test_a_foreign_set_stands_out_only_against_the_test_images(space: Space, errors: np.ndarray) -> None:
    assert found_of(space, noise(300), errors).outliers.all()
    alone = found_of(space, noise(300), None)
    assert alone.against == "these images"
    assert alone.badly_reconstructed.sum() == 2
    assert "of these images" in alone.reasons(int(alone.errors.argmax()))[0]


def test_order_and_words() -> None:
    tests = np.arange(1000, dtype=np.float32)
    errors = np.array([5, 996, 5000, 400, 9000], np.float32)
    found = outlier_figures(errors, np.array([0.5, 0.4, 0.3, 0.002, 0.0]), tests)
    assert found.worst(9).tolist() == [4, 2, 3, 1, 0]
    assert [found.reasons(i) for i in range(5)] == [
        [],
        ["badly reconstructed (worse than all but 0.4 % of the test images)"],
        ["badly reconstructed (worse than all of the test images)"],
        ["in an empty region"],
        ["badly reconstructed (worse than all of the test images)", "in an empty region"],
    ]
    assert found.summary() == "80 % of 5 images are outliers: 3 badly reconstructed, 2 in an empty region, 1 both"
    unknown = outlier_figures(errors, np.full(5, np.nan), tests)
    assert unknown.worst(2).tolist() == [4, 2]
    assert not unknown.in_an_empty_region.any()


def test_what_is_beyond_float32_stays_finite(space: Space, digits: Dataset) -> None:
    codes = np.full((2, 2), 3e38, np.float32)
    assert np.isfinite(reconstruction_errors(space, digits.test.images[:2], codes)).all()
