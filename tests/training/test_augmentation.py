"""Augmentation: turned by the angle that was drawn, with the bits of before where nothing is turned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Generator, Tensor

from morphospace.errors import ArgumentError, FileError
from morphospace.recipes import RECIPES, build_model, build_stages, changed, find_recipe, keys_of
from morphospace.space import Space, load
from morphospace.training import Augmentation
from morphospace.training.augmentation import Flip, _sampled, _turn


def before(amount: float, flip: str, x: Tensor, generator: Generator) -> Tensor:
    """Augmentation as it was when nothing could be turned."""
    drawn = torch.rand((len(x), 5), generator=generator) * 2 - 1
    scale = 1 + amount * drawn[:, 0]
    across = torch.where(drawn[:, 1] < 0, -1.0, 1.0) if flip in ("horizontal", "both") else 1.0
    down = torch.where(drawn[:, 2] < 0, -1.0, 1.0) if flip in ("vertical", "both") else 1.0
    matrix = torch.zeros((len(x), 2, 3))
    matrix[:, 0, 0], matrix[:, 1, 1] = scale * across, scale * down
    matrix[:, :, 2] = 2 * amount * drawn[:, 3:]
    return F.grid_sample(x, F.affine_grid(matrix, list(x.shape), align_corners=False), "bilinear", "border", False)


def seeded(seed: int) -> Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("amount", "flip"), [(0.06, "none"), (0.3, "both"), (0.0, "horizontal"), (0.5, "vertical")])
@pytest.mark.parametrize("shape", [(9, 1, 28, 28), (7, 3, 20, 33)])
def test_without_turning_the_bits_are_those_of_before(amount: float, flip: Any, shape: tuple[int, ...]) -> None:
    x = torch.rand(shape, generator=seeded(5))
    generators = seeded(3), seeded(3)
    expected = before(amount, flip, x, generators[0])
    assert torch.equal(Augmentation(amount, flip)(x, generators[1]), expected)
    assert torch.equal(Augmentation(amount, flip, rotate=0)(x, seeded(3)), expected)
    # Nor is anything more drawn.
    assert torch.equal(torch.rand(4, generator=generators[0]), torch.rand(4, generator=generators[1]))


def _flip_of(name: str) -> Flip:
    return "horizontal" if name == "photo" else "none"


@pytest.mark.parametrize("name", RECIPES)
def test_no_recipe_turns_by_itself(name: str) -> None:
    recipe = find_recipe(name).for_images(300)
    augment, rotate = (keys_of(recipe)[f"images.{key}"].value for key in ("augment", "rotate"))
    assert (augment, rotate) == (0.06 if name in ("conv", "photo") else 0, 0)
    binarize, flip = name == "lattice", _flip_of(name)
    assert (recipe.images.build() or Augmentation()) == Augmentation(augment, flip, binarize=binarize)
    turned = changed(recipe, {"rotate": "90"} | ({"features": "random"} if name == "photo" else {}))
    model = build_model(turned, (16, 16, 3), seed=0, labels=10)
    stages = build_stages(turned, model, (16, 16, 3), seed=0)
    assert {stage.augmentation for stage in stages} == {Augmentation(augment, flip, 90.0, binarize)}


def test_a_quarter_turn_is_a_quarter_turn() -> None:
    x = torch.rand(2, 3, 8, 8)
    for quarters in (1, 2, 3, -1):
        matrix = torch.zeros(2, 2, 3)
        matrix[:, :, :2] = _turn(torch.full((2,), quarters * torch.pi / 2), 8, 8)
        found = _sampled(x, F.affine_grid(matrix, list(x.shape), align_corners=False))
        assert torch.allclose(found, x.rot90(quarters, (2, 3)), atol=1e-5)


@pytest.mark.parametrize("shape", [(32, 32), (24, 40), (45, 17)])
def test_pictures_are_turned_by_the_angle_drawn_and_keep_their_form(shape: tuple[int, int]) -> None:
    """As SciPy turns them, which works in pixels: a picture of other sides is turned, not sheared."""
    x = torch.from_numpy(ndimage.gaussian_filter(np.random.default_rng(1).random((6, *shape)), (0, 2, 2))).float()
    found = Augmentation(rotate=60)(x[:, None], seeded(8))[:, 0]
    generator = seeded(8)
    torch.rand((6, 5), generator=generator)
    angles = (torch.rand(6, generator=generator) * 2 - 1) * 60
    assert angles.min() < -5
    assert angles.max() > 5
    for image, turned, angle in zip(x, found, angles, strict=True):
        expected = ndimage.rotate(image.numpy(), float(angle), reshape=False, order=1, mode="nearest")
        assert np.abs(turned.numpy() - expected).max() < 1e-4


def test_corners_repeat_the_edge() -> None:
    flat = torch.full((16, 1, 12, 20), 0.7)
    assert torch.allclose(Augmentation(0.2, "both", 180)(flat, seeded(0)), flat, atol=1e-6)


def test_a_device_without_borders_repeats_the_edge_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apple silicon with an older PyTorch: the border is made by hand, and means the same."""
    x = torch.rand(4, 3, 28, 17, generator=seeded(1))
    grid = torch.rand(4, 28, 17, 2, generator=seeded(2)) * 6 - 3  # most of it far outside
    expected = F.grid_sample(x, grid, "bilinear", "border", align_corners=False)
    assert torch.equal(_sampled(x, grid), expected)

    asked: list[tuple[Any, ...]] = []
    real = F.grid_sample

    def without_borders(*arguments: Any, **named: Any) -> Tensor:
        asked.append((*arguments[2:], *named.values()))
        assert "border" not in asked[-1]
        return real(*arguments, **named)

    monkeypatch.setattr(F, "grid_sample", without_borders)
    _sampled(x.to("meta"), grid.to("meta"))
    assert asked == [("bilinear", False)]

    class Mps(torch.Tensor):
        """Says that it lies elsewhere, and is computed here."""

        @property
        def device(self) -> torch.device:  # type: ignore[override]
            return torch.device("mps")

    monkeypatch.setattr(torch, "tensor", lambda values, device: torch.as_tensor(values))
    found = _sampled(x.as_subclass(Mps), grid).as_subclass(Tensor)
    assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("value", ["-1", "181", "nan"])
def test_angles_out_of_range_are_refused(value: str) -> None:
    with pytest.raises(ArgumentError, match=f"^rotate: expected 0 to 180, got {value}"):
        changed(find_recipe("quick"), {"rotate": value})


def test_a_space_of_before_opens(space: Space, tmp_path: Path) -> None:
    """A key that came later takes its default; one that is not known stays an error."""
    folder = space.save(tmp_path / "space")
    config = json.loads((folder / "config.json").read_text())
    assert config["recipe"]["images"].pop("rotate") == 0
    (folder / "config.json").write_text(json.dumps(config))
    assert load(folder).recipe == space.recipe
    config["recipe"]["images"]["spin"] = 3
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(FileError, match='"images" has no key "spin"'):
        load(folder)
    del config["recipe"]["images"]["spin"]
    config["recipe"]["spin"] = 3
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(FileError, match=r"unknown keys \['spin'\]"):
        load(folder)
    del config["recipe"]["spin"], config["recipe"]["model"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(FileError, match=r"missing keys \['model'\]"):
        load(folder)
