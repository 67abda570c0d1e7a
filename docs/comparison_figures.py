"""Train the spaces of docs/comparison.md, measure them, and renew the chapter's table and pictures.

    python docs/comparison_figures.py --runs runs/comparison

Runs that are in the folder already are taken as they are, so that it goes on where it was cut off. It takes an hour or
two on two cores, nearly all of it for the book's network.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import mean

import numpy as np
from PIL import Image

import morphospace as ms
from morphospace.data import Dataset
from morphospace.evaluate import compare_spaces
from morphospace.evaluate.comparison import JUDGE_STEPS
from morphospace.evaluate.judges import train_judge
from morphospace.pictures import Picture
from morphospace.report.comparison import FIGURES, figure_text, map_contrast, path_contrast, sample_contrast
from morphospace.report.figures import figure_of, rendered
from morphospace.space import Space

DOCS = Path(__file__).parent
PAGE, FIGURES_FILE, IMAGES = DOCS / "comparison.md", DOCS / "comparison.json", DOCS / "images"
SEEDS, SIZES = (0, 1, 2), (2, 32)
BOOK_EPOCHS = 3  # of its ten, which take an hour a run where cores are slow
RECIPES: dict[str, tuple[str, Callable[[int], dict[str, float]]]] = {
    "VAE (book)": ("book", lambda _: {"epochs": BOOK_EPOCHS}),
    "VAE (quick)": ("quick", lambda _: {}),
    "quick, the book's KL weight": ("quick", lambda size: {"beta": 0.784 / size}),
    "autoencoder": ("autoencoder", lambda _: {}),
    "sparse autoencoder": ("sparse-autoencoder", lambda _: {}),
}
COLOURS = ("#9a86c9", "#3b6fd4", "#79b4e8", "#e0a03b", "#8a9a5b")
JUDGE = 0.99
WIDEST = 960  # pixels


def trained(mnist: Dataset, runs: Path, name: str, size: int, seed: int) -> Space:
    """The space of a recipe, from ``runs`` if it is there."""
    recipe, changed = RECIPES[name]
    settings = changed(size)
    folder = runs / "-".join([recipe, *settings, str(size), str(seed)])
    if done := sorted(folder.glob("*/space/config.json")):
        return ms.load(done[-1].parent)
    print(f"training {name}, {size} latents, seed {seed}", flush=True)
    return ms.train(mnist, recipe, latent_dim=size, settings=settings, seed=seed, out=folder)


def measure(mnist: Dataset, runs: Path, seeds: Iterable[int] = SEEDS) -> dict[str, dict[str, list[float | None]]]:
    """Every figure of every space, a list over seeds; with those of the judge and of real images."""
    found: dict[str, dict[str, list[float | None]]] = {}
    judge = train_judge(mnist.train.images, {"label": np.asarray(mnist.train.labels)}, steps=JUDGE_STEPS)
    for seed in seeds:
        for size in SIZES:  # what is equal quality depends on whom a space is compared with
            spaces = {f"{name}, {size}": trained(mnist, runs, name, size, seed) for name in RECIPES}
            said = compare_spaces(spaces, mnist, judge=judge, seed=seed, tell=lambda words: print(words, flush=True))
            assert said.judge >= JUDGE, f"the judge is right on {said.judge:.2%} of the test images only"
            for name, figures in said.spaces.items():
                for key, value in figures.to_json().items():
                    found.setdefault(name, {}).setdefault(key, []).append(value)
        for key in ("judge", "images", "mixed"):
            found.setdefault("", {}).setdefault(key, []).append(round(getattr(said, key), 4))
    return found


def cell(key: str, values: list[float | None]) -> str:
    """The mean over seeds, and how far they lie apart where that shows."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    middle, low, high = (figure_text(key, value) for value in (mean(known), min(known), max(known)))
    return middle if low == high else f"{middle} <small>({low.removesuffix(' %')}–{high.removesuffix(' %')})</small>"


def table(found: dict[str, dict[str, list[float | None]]], size: int) -> str:
    """The table of one code size."""
    lines = [f"| {size} numbers a code | {' | '.join(RECIPES)} |", "|---|" + "---|" * len(RECIPES)]
    for key, (words, _) in FIGURES.items():
        lines.append(f"| {words} | {' | '.join(cell(key, found[f'{name}, {size}'][key]) for name in RECIPES)} |")
    return "\n".join(lines)


def renew(text: str, name: str, content: str) -> str:
    """``text`` with what stands between ``<!-- name -->`` and ``<!-- end -->`` replaced."""
    marked = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.S)
    assert marked.search(text), f"{PAGE.name} has no place for {name}"
    return marked.sub(lambda m: m[1] + content + m[2], text)


def bars(found: dict[str, dict[str, list[float | None]]]) -> Picture:
    """The share of samples that the judge recognises, by where they are drawn from."""
    figure, panels = figure_of(12, 3.6, len(SIZES))
    wide = 0.8 / len(RECIPES)
    sources = {"prior": "N(0, I)", "gaussian": "Gaussian of codes", "mixture": "mixture of codes"}
    for panel, size in zip(panels, SIZES, strict=True):
        for i, (name, colour) in enumerate(zip(RECIPES, COLOURS, strict=True)):
            for j, key in enumerate(sources):
                values = [100 * value for value in found[f"{name}, {size}"][key] if value is not None]
                at = j + wide * (i - (len(RECIPES) - 1) / 2)
                panel.bar(at, mean(values), 0.9 * wide, color=colour, label=name if j == 0 else None)
                panel.plot([at] * len(values), values, ".", ms=4, color="#20242c", alpha=0.55)
        panel.set_xticks(range(len(sources)), sources.values())
        panel.tick_params(axis="x", length=0)
        panel.set(ylim=(0, 100), ylabel="recognised, %" if size == SIZES[0] else "")
        panel.set_title(f"samples of {size} numbers, drawn from ...", fontsize=11, color="#40454f")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(RECIPES), frameon=False)
    return rendered(figure, {"software": "morphospace", "kind": "comparison", "seeds": ", ".join(map(str, SEEDS))})


def pictures(mnist: Dataset, runs: Path, found: dict[str, dict[str, list[float | None]]]) -> None:
    """The chapter's pictures, of the first seed."""

    def of(size: int) -> dict[str, Space]:
        return {name: trained(mnist, runs, name, size, SEEDS[0]) for name in RECIPES}

    four, seven = 4, 0
    shown: dict[str, Callable[[], Picture]] = {
        "maps": lambda: map_contrast(of(2), mnist),
        "samples": lambda: sample_contrast(of(32), mnist.train.images, seed=SEEDS[0]),
        "paths": lambda: path_contrast(
            of(32), mnist.test.images[four : four + 1], mnist.test.images[seven : seven + 1]
        ),
        "recognised": lambda: bars(found),
    }
    for name, draw in shown.items():
        picture = draw()
        image = Image.fromarray(picture.pixels)
        image.thumbnail((WIDEST, WIDEST), Image.Resampling.LANCZOS)
        light = image.quantize(256, dither=Image.Dither.NONE).convert("RGB")  # small, for telephones
        Picture(np.asarray(light), picture.text).save(IMAGES / f"comparison-{name}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=Path, default=Path("runs/comparison"), help="where the runs are, or will be")
    runs = parser.parse_args().runs
    mnist = ms.open_dataset("mnist")
    found = measure(mnist, runs)
    FIGURES_FILE.write_text(json.dumps(found, indent=1) + "\n")
    text = PAGE.read_text(encoding="utf-8")
    for size in SIZES:
        text = renew(text, f"table {size}", table(found, size))
    PAGE.write_text(text, encoding="utf-8")
    pictures(mnist, runs, found)


if __name__ == "__main__":
    main()
