"""Binarized images: each pixel black or white, with the chance that its grey says, in training and in figures."""

from __future__ import annotations

import numpy as np
import torch

from morphospace.data import Dataset
from morphospace.evaluate import evaluate_space, score
from morphospace.recipes import build_model, recipe
from morphospace.space import Space
from morphospace.training.augmentation import Augmentation


def test_at_each_step_pixels_are_drawn_anew_with_the_chance_of_their_grey() -> None:
    x, augmentation = torch.linspace(0, 1, 16).view(1, 1, 4, 4).expand(4000, -1, -1, -1), Augmentation(binarize=True)
    seen, target = augmentation.pair(x, torch.Generator().manual_seed(0))
    assert torch.equal(seen, target)
    assert set(target.flatten().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(target.mean(0), x[0], atol=0.04, rtol=0)  # 5 standard errors
    again, _ = augmentation.pair(x, torch.Generator().manual_seed(1))
    assert not torch.equal(again, target)


def test_test_images_are_drawn_once_by_a_seed() -> None:
    grey = np.broadcast_to(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), (2000, 16, 16, 1))
    images = Augmentation.Config(binarize=True)
    found = np.asarray(images.scored(grey, seed=0))
    assert set(np.unique(found)) == {0, 255}
    np.testing.assert_allclose(found.mean(0), grey[0], atol=255 * 0.06)
    assert (found[:, 0, 0] == 0).all(), "black stays black"
    assert (found[:, 15, 15] == 255).all(), "and white white"
    np.testing.assert_array_equal(images.scored(grey, seed=0), found)
    assert (np.asarray(images.scored(grey, seed=1)) != found).any()
    assert Augmentation.Config().scored(grey, seed=0) is grey


def test_figures_are_of_binarized_images_where_the_recipe_binarizes_and_that_is_said(digits: Dataset) -> None:
    chosen = recipe("lattice", encoder__widths=(16,), decoder__widths=(16,))
    space = Space(build_model(chosen, digits.shape, seed=0), chosen, digits.shape)
    figures = evaluate_space(space, digits, seed=3, points=610)
    binarized = chosen.images.scored(digits.test.images, seed=3)
    assert figures["test"]["neg_elbo"] == score(space.model, binarized, beta=1.0, seed=3).neg_elbo
    assert figures["warnings"][0].startswith("nats are of the test images with each pixel black or white")
    assert figures["test"]["exact_nll"] < figures["test"]["neg_elbo"]
    assert figures["test"]["exact_points"] == 610
