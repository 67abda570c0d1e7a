"""Every variant through the public API: trained, looked at, kept, shared, exported, resumed; or refused in one line."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import morphospace as ms
from morphospace.data import Dataset
from morphospace.errors import ArgumentError
from morphospace.evaluate import evaluate_space
from morphospace.export.onnx import to_onnx
from morphospace.export.page import share_page, space_facts
from morphospace.recipes import Recipe
from morphospace.space import Space
from morphospace.training import choose_machine
from morphospace.training.journal import read_metrics
from morphospace.training.runs import METRICS
from morphospace.workflow import Interrupted, resume_run, train_run

SMALL: dict[str, Any] = {"encoder__widths": (24,), "decoder__widths": (24,), "epochs": 1, "batch": 128}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "vamp": ("vamp", {"latent_dim": 3, "components": 7}),
    "iwae": ("iwae", {"latent_dim": 3, "samples": 3}),
    "factor": ("quick", {"latent_dim": 3, "objective": "factor", "adversary_widths": (16,)}),
    "rae": ("quick", {"latent_dim": 3, "posterior": "point", "objective": "rae"}),
    "denoising": ("quick", {"noise": 0.4}),
    "ladder": ("quick", {"model": "ladder", "lower": 3, "upper": 2, "rung_widths": (8,)}),
}
# What training shows of a variant, beside reconstruction and kl.
PARTS = {
    "iwae": {"neg_iwae"},
    "factor": {"total_correlation", "discriminator.cross_entropy"},
    "rae": {"l2", "decoder_l2"},
}


def recipe_of(variant: str) -> Recipe:
    name, changes = VARIANTS[variant]
    return ms.recipe(name, **SMALL, **changes)


@pytest.fixture(scope="module", params=VARIANTS)
def trained(request: pytest.FixtureRequest, digits: Dataset) -> tuple[str, Space]:
    return request.param, ms.train(digits, recipe_of(request.param), seed=5, precision="fp32")


def test_everything_works_on_the_space_of_a_variant(
    trained: tuple[str, Space], digits: Dataset, tmp_path: Path
) -> None:
    variant, space = trained
    images = digits.test.images[:20]
    again = ms.load(space.save(tmp_path / "space"))
    assert again.recipe == space.recipe
    assert np.array_equal(again.sample(9, seed=2), space.sample(9, seed=2))
    assert np.array_equal(again.reconstruct(images), space.reconstruct(images))
    space.learn_concept("six", images=digits.test.images[:200], values=(digits.test.labels[:200] == 6).astype(float))  # type: ignore[index]
    assert space.edit(images[0], {"six": 1.0}).shape == (1, 8, 8, 1)
    assert space.atlas(3).pixels.ndim == 3
    assert space.morph(images[0], images[1], frames=3).points.shape == (3, space.latent_dim)
    assert 0 <= space.typicality(space.encode(images).mean).min() <= 1
    has_bound = variant != "rae"
    figures = evaluate_space(space, digits, samples=3 if has_bound else None)["test"]
    assert (figures["neg_elbo"] is not None) is has_bound
    if has_bound:
        assert figures["nll"] < figures["neg_elbo"]
    assert space_facts(space)["has_prior"] is (variant not in ("rae", "vamp"))
    assert len(share_page(space)) > 100_000
    assert all(len(to_onnx(space, part)) > 1000 for part in ("encoder", "decoder"))  # each held against PyTorch


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_cut_run_of_a_variant_is_resumed_to_the_same_bits(variant: str, digits: Dataset, tmp_path: Path) -> None:
    recipe, seen = recipe_of(variant), []

    def cut(event: object) -> None:
        if type(event).__name__ == "Stepped" and not seen.append(event):  # type: ignore[func-returns-value]
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        train_run(digits, recipe, out=tmp_path, seed=5, machine=choose_machine(), listen=cut)
    (run,) = tmp_path.iterdir()
    result = resume_run(run)
    assert len(seen) == 1
    whole = train_run(digits, recipe, out=None, seed=5, machine=choose_machine())
    pairs = zip(result.space.model.state_dict().items(), whole.space.model.state_dict().values(), strict=True)
    for (name, value), same in pairs:
        assert torch.equal(value, same), name
    shown = read_metrics(run / METRICS)[-1]["train"]
    bound = set() if variant == "rae" else {"kl", "neg_elbo"}
    assert set(shown) == {"reconstruction"} | bound | PARTS.get(variant, set())
    assert (run / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        (
            "vamp",
            {"posterior": "point", "objective": "reconstruction"},
            "prior: .*mixture of posteriors needs one",
        ),
        ("vamp", {"condition": "label"}, "prior: .*is made of what the encoder says of images that have no label"),
        ("iwae", {"posterior": "point"}, "objective: draws have weights only where the posterior has a density"),
        ("quick", {"objective": "rae"}, "objective: it has no KL, so the posterior must be a point"),
        ("quick", {"objective": "factor", "latent_dim": 1}, "objective: one latent has no other"),
        ("autoencoder", {"objective": "factor"}, "objective: a point has no KL"),
        ("quick", {"prior": "vamp", "components": 0}, "components: expected 1"),
        ("quick", {"model": "ladder", "prior": "vamp"}, "prior: "),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(name: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words) as caught:
        ms.recipe(name, **changes)
    assert "\n" not in str(caught.value)


def test_denoising_sees_noise_and_is_to_give_clean_images(digits: Dataset) -> None:
    augmentation = ms.recipe("quick", noise=0.4).images.build()
    assert augmentation is not None
    x = torch.from_numpy(digits.test.images[:500]).permute(0, 3, 1, 2) / 255
    seen, target = augmentation.pair(x, torch.Generator().manual_seed(0))
    assert torch.equal(target, x)
    grey = (x > 0.3) & (x < 0.7)  # where little is cut off at black and white
    assert (seen - x)[grey].std().item() == pytest.approx(0.35, abs=0.05)
    assert seen.min() >= 0
    assert seen.max() <= 1
