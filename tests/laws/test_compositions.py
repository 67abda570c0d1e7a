"""Every model, posterior, prior, likelihood and objective that fit each other do what the others count on.

The kinds come from the registry: a new one is tried with all others by being there. What a kind is worth is tested in
the file of its own; here only what any of them must keep to.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from morphospace.errors import ArgumentError
from morphospace.nn import MLPDecoder, MLPEncoder
from morphospace.parts import Part, fields_of, kinds_of
from morphospace.recipes import Recipe, build_model, build_stages, changed, find_recipe
from morphospace.space import Space, load
from morphospace.training.stages import StageConfig
from morphospace.vae import VAE, Batch, Model, ModelConfig, Objective, PriorConfig, Progress
from morphospace.vae.slots import ObjectiveConfig, PosteriorConfig

SHAPE, LABELS, BATCH = (8, 8, 1), 3, 4
IMAGES = torch.rand(BATCH, 1, 8, 8, generator=torch.Generator().manual_seed(0))
ENCODER, DECODER = MLPEncoder.Config(widths=(16,)), MLPDecoder.Config(widths=(16,))
QUICK = find_recipe("quick")
CONDITIONS = ("none", "label")


def small(part: Part) -> Any:
    """A part with small networks: what is a number of many, or of widths, is few."""
    few = {"components": 5, "width": 8, "widths": (16,), "adversary_widths": (16,), "points": 21, "entries": 6,
           "positions": 3, "latent_dim": 3, "rung_widths": (8,), "lower": 2, "upper": 1,
           "features": "random", "look": 16}  # fmt: skip
    return part.replace(**{name: few[name] for name in {field.name for field in fields_of(type(part))} & few.keys()})


def made(slot: str) -> list[Any]:
    return [small(part()) for _, part in sorted(kinds_of(slot).items())]


def models() -> Iterator[tuple[str, ModelConfig]]:
    """Every model whose parts fit each other: of those with parts of these slots, each of their kinds."""
    for kind, model in sorted(kinds_of("model").items()):
        slots = [f.slot for f in fields_of(model) if f.slot and f.slot not in ("encoder", "decoder")]
        told = CONDITIONS if "condition" in {f.name for f in fields_of(model)} else (None,)
        for *parts, condition in itertools.product(*(made(slot) for slot in slots), told):
            fields: dict[str, Any] = {part.slot: part for part in parts} | {"encoder": ENCODER, "decoder": DECODER}
            if condition is not None:
                fields["condition"] = condition
            config = small(cast("ModelConfig", model(**fields)))
            names = "-".join([kind, *(part.kind for part in parts), *([condition] if condition == "label" else [])])
            if condition == "label" and dict(config.parts())["likelihood"].kind != sorted(kinds_of("likelihood"))[0]:
                continue  # what a model is told has nothing to do with how pixels are scored
            try:
                config.check()
            except ArgumentError:
                continue
            yield names, cast("ModelConfig", config)


def recipes() -> Iterator[Any]:
    """Every model with every objective that can train it."""
    for (names, model), objective in itertools.product(models(), made("objective")):
        stage = StageConfig(objective=cast("ObjectiveConfig", objective), epochs=1, batch=BATCH)
        sampler = {} if model.draws != "points" else {"sampler": kinds_of("sampler")["mixture"]()}
        try:
            recipe = dataclasses.replace(QUICK, model=model, stages=(stage,), **cast("Any", sampler))
            stages_of(recipe)
        except ArgumentError:
            continue
        yield pytest.param(recipe, id=f"{names}-{objective.kind}")


def model_of(recipe: Recipe) -> Model:
    return cast("Model", build_model(recipe, SHAPE, seed=0, labels=LABELS))


def stages_of(recipe: Recipe) -> tuple[Model, Objective]:
    model = model_of(recipe)
    return model, build_stages(recipe, model, SHAPE, seed=0)[0].objective


def batch_of(model: Model, some: slice = slice(None)) -> Batch:
    labels = None if model.condition is None else torch.arange(BATCH)[some] % LABELS
    return Batch(IMAGES[some], IMAGES[some], torch.arange(BATCH)[some], labels)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(1)


ALL = list(recipes())
MODELS = [
    pytest.param(found, id=names)
    for names, model in models()
    for found in [param.values[0] for param in ALL if param.values[0].model == model][:1]
]


def test_every_kind_is_tried() -> None:
    """A kind that fits nothing would go untested."""
    tried = {
        (part.slot, part.kind) for p in ALL for part in (p.values[0].model, *dict(p.values[0].model.parts()).values())
    }
    tried |= {("objective", p.values[0].stages[0].objective.kind) for p in ALL}
    for slot in ("model", "posterior", "prior", "likelihood", "objective"):
        assert {kind for s, kind in tried if s == slot} == set(kinds_of(slot)), slot


@pytest.mark.parametrize("recipe", ALL)
def test_gradients_reach_every_parameter_that_trains(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    model, objective = stages_of(recipe)
    progress = Progress(torch.tensor(0.5), 1, BATCH)
    batch, optimiser = batch_of(model), recipe.stages[0].optimiser
    reached: set[int] = set()
    asked, infer = 0, model.infer

    def counted(*told: Any) -> Any:
        nonlocal asked
        asked += 1
        return infer(*told)

    monkeypatch.setattr(model, "infer", counted)
    for player in objective.players(model, optimiser):
        loss = objective(player.name, model, batch, objective.noise(model, BATCH, seeded()), progress)
        assert loss.total.isfinite()
        assert all(value.ndim == 0 and value.isfinite() for value in loss.parts.values())
        gradients = torch.autograd.grad(loss.total, player.parameters, allow_unused=True)
        for parameter, gradient in zip(player.parameters, gradients, strict=True):
            if gradient is not None:
                assert gradient.isfinite().all()
                reached.add(id(parameter))
    own = [p for name, p in objective.named_parameters() if not name.startswith(objective.frozen or ("\n",))]
    unreached = {id(p) for p in [*model.parameters(), *own] if p.requires_grad} - reached
    if unreached:  # which may be the encoder, of an objective that never asks it
        assert asked == 0
        assert unreached == reached_by_reading(model, batch)


def reached_by_reading(model: Model, batch: Batch) -> set[int]:
    """The parameters that say where images lie."""
    q = model.infer(batch.input, batch.label)
    parameters = list(model.parameters())
    said = q.mean.sum() if q.scale is None else q.mean.sum() + q.scale.sum()
    gradients: tuple[Tensor | None, ...] = torch.autograd.grad(said, parameters, allow_unused=True)
    return {id(p) for p, gradient in zip(parameters, gradients, strict=True) if gradient is not None}


@pytest.mark.parametrize("recipe", MODELS)
def test_it_comes_back_equal_from_a_bundle(recipe: Recipe, tmp_path: Path) -> None:
    about = {"data": {"label_names": ["a", "b", "c"]}}
    space = Space(model_of(recipe), recipe, SHAPE, about=about)
    again = load(space.save(tmp_path / "s"))
    assert again.recipe == recipe
    own, other = space.model.state_dict(), again.model.state_dict()
    assert own.keys() == other.keys()
    assert all(torch.equal(own[name], other[name]) for name in own)


@pytest.mark.parametrize("recipe", MODELS)
def test_noise_is_of_each_image_alone(recipe: Recipe) -> None:
    """Each part is (k, batch, ...); the images of a batch know nothing of each other."""
    model = model_of(recipe).eval()
    for k in (1, 3):
        noise = model.noise(k, BATCH, seeded())
        assert all(part.shape[:2] == (k, BATCH) for part in noise)
        with torch.no_grad():
            whole = model.figures(batch_of(model), noise)
            first = model.figures(batch_of(model, slice(2)), tuple(part[:, :2] for part in noise))
        for name, values in whole.items():
            assert values.shape == (BATCH,)
            torch.testing.assert_close(values[:2], first[name], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("recipe", MODELS)
def test_draws_and_figures_add_up(recipe: Recipe) -> None:
    """K draws where there is noise; the figures are the bound, as far as there is one: the mean of all log weights."""
    model, k = model_of(recipe).eval(), 400
    with torch.no_grad():
        noise = model.noise(k, BATCH, seeded())
        terms, figures = model.terms(batch_of(model), noise), model.figures(batch_of(model), noise)
        draws = k if noise else 1
        assert terms.log_px.shape == (draws, BATCH)
        assert all(draw.z.shape[:2] == (draws, BATCH) for draw in terms.draws)
        torch.testing.assert_close(figures["reconstruction"], -terms.log_px.mean(0))
        assert ("kl" in figures) == model.has_bound
        if not model.has_density:
            return
        weights = model.log_weights(batch_of(model), noise)
    assert weights.shape == (k, BATCH)
    error = 5 * weights.std(0) / k**0.5 + 1e-3
    assert ((sum(figures.values()) + weights.mean(0)).abs() < error).all()


PRIORS = {}
for _found in MODELS:
    _recipe = cast("Recipe", _found.values[0])
    _model = _recipe.model
    if isinstance(_model, VAE.Config) and _model.draws != "points" and _model.condition == "none":
        PRIORS[_model.posterior.kind, _model.prior.kind] = _recipe


@pytest.mark.parametrize("recipe", [pytest.param(recipe, id="-".join(kinds)) for kinds, recipe in PRIORS.items()])
def test_a_prior_draws_what_it_expects(recipe: Recipe) -> None:
    """The mean of q / p over draws of p is 1 for any density q: here p's own draws, moved or drawn as often each."""
    model, n = model_of(recipe).eval(), 20_000
    assert isinstance(model, VAE)
    with torch.no_grad():
        p = model.prior(model.infer)
        z = p.sample(n, np.random.default_rng(0))
        assert len(z) == n
        log_p = p.log_prob(z[None])[0]
        if z.is_floating_point():
            middle, spread = z.mean(0), z.std(0)
            q = torch.distributions.Normal(middle, 0.6 * spread)
            log_q = cast("Tensor", q.log_prob(z)).sum(-1)  # type: ignore[no-untyped-call]
            ratio = (log_q - log_p).exp()
            assert abs(ratio.mean().item() - 1) < 5 * ratio.std().item() / n**0.5 + 0.01
            assert p.sample(0, np.random.default_rng(0)).shape == (0, model.latent_dim)
        else:  # codes: each row as often as it is expected
            rows, counts = z.unique(dim=0, return_counts=True)
            expected = n * p.log_prob(rows[None])[0].exp()
            assert ((counts - expected).abs() < 6 * expected.sqrt() + 1).all()
    drawn = model.sample(5, np.random.default_rng(0))
    assert drawn.shape == (5, model.latent_dim)


def test_a_prior_made_of_posteriors_is_refused_where_these_are_told_labels() -> None:
    for kind, part in kinds_of("prior").items():
        if cast("PriorConfig", part()).of_posteriors:
            with pytest.raises(ArgumentError, match=f'^prior: the prior "{kind}" is made of what the encoder says'):
                changed(QUICK, {"prior": kind, "condition": "label"})


def test_what_does_not_fit_is_refused_in_words() -> None:
    """All that is not tried here is refused by a check, not by an error of PyTorch."""
    for posterior, prior in itertools.product(made("posterior"), made("prior")):
        try:
            cast("PriorConfig", prior).check(cast("PosteriorConfig", posterior))
        except ArgumentError as error:
            assert error.argument, (posterior, prior)
