"""What ``morpho demo`` does: a space of real handwritten digits, and everything one does with a space."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from morphospace._version import __version__
from morphospace.builtin import BUILTIN
from morphospace.data import Dataset
from morphospace.export.page import write_page
from morphospace.files import claim_folder
from morphospace.images import Images
from morphospace.pictures import Film, Picture
from morphospace.recipes import changed, find_recipe
from morphospace.report import (
    Exhibit,
    edit_sheet,
    map_figure,
    morph_sheet,
    reconstruction_sheet,
    sample_sheet,
    write_report,
)
from morphospace.space import Space, load
from morphospace.training import Machine
from morphospace.workflow import Listener, Result, learn_from_dataset, train_run

__all__ = ["NEXT", "Demo", "run_demo"]

EPOCHS = 60
_MORPH = ("0", "6", "4", "9")  # neighbours in most spaces, so that each change can be followed
_EDITS = 4


NEXT = """\
morpho explore                      # walk through this space in a browser
morpho sample latest -n 100
morpho morph latest digits:test/0 digits:test/5 --frames 48
morpho edit latest digits:test/3 --concept 6=1.5
morpho train mnist                  # 28x28 digits, in seconds
morpho train mnist --recipe book    # the Keras book's own network and loss"""
"""What a person may type after the demo."""


class Demo(NamedTuple):
    """The trained result, what was written, and among it the report and a page of the built-in space of MNIST."""

    result: Result
    outputs: list[Path]
    report: Path
    page: Path


def run_demo(
    dataset: Dataset,
    folder: Path,
    *,
    runs: Path,
    seed: int,
    machine: Machine,
    command: str,
    listen: Listener,
) -> Demo:
    """Train on ``dataset`` (digits with labels "0" to "9"), learn ten concepts, and fill ``folder``.

    Args:
        dataset: with labels.
        folder: for the pictures and the report.
        runs: for the run.
        seed: of everything.
        machine: device, precision, threads.
        command: goes into every picture.
        listen: told about training.
    """
    claim_folder(folder)
    page = folder / "explorer.html"  # there before anything is trained
    write_page(page, load(BUILTIN))
    result = train_run(
        dataset,
        changed(find_recipe("quick"), {"epochs": EPOCHS}),
        out=runs,
        seed=seed,
        machine=machine,
        command=command,
        listen=listen,
    )
    space = result.space
    for label in dataset.label_names:
        learn_from_dataset(space, label, dataset, label=label)
    if result.run is not None:
        space.save(result.run / "space", force=True)

    typical = {label: _typical(space, dataset, label) for label in dataset.label_names}
    best, middle = _edits(space, typical)
    film = space.morph(*(typical[label] for label in _MORPH), frames=48)
    pictures = {
        "atlas": space.atlas(15, side=48),
        "map": map_figure(space, label_names=dataset.label_names, concepts=list(space.concepts.values())),
        "reconstructions": reconstruction_sheet(space, dataset.test.images[:20], columns=10),
        "edits": edit_sheet(space, np.concatenate([typical[label] for label in middle]), best),
        "samples": sample_sheet(space, 96, seed=seed),
        "morph": morph_sheet(space, film.frames[:: max(1, len(film) // 11)]),
    }
    outputs = []
    for name, picture in pictures.items():
        picture.text.update(command=command, seed=str(seed))
        outputs.append(picture.save(folder / f"{name}.png"))
    film.text.update(command=command, seed=str(seed))
    outputs.append(film.save(folder / "morph.gif"))
    report = folder / "report.html"
    _write(report, result, dataset, pictures, film, outputs[-1], command)
    return Demo(result, [report, page, *outputs], report, page)


def _edits(space: Space, typical: dict[str, Images]) -> tuple[list[str], list[str]]:
    """The concepts of best evidence, and as many other digits from the middle of the space to edit along them."""
    best = sorted(space.concepts, key=lambda name: -(space.concepts[name].auc or 0))[:_EDITS]
    far = {label: float(np.linalg.norm(space.encode(image).mean)) for label, image in typical.items()}
    return best, sorted((label for label in typical if label not in best), key=far.__getitem__)[:_EDITS]


def _typical(space: Space, dataset: Dataset, label: str) -> Images:
    """The test image of ``label`` whose code lies nearest to the middle of its kind, (1, H, W, C)."""
    if space.reference is None or space.reference_labels is None:
        raise ValueError("the demo needs labels")
    here = np.flatnonzero(space.reference_labels == dataset.label_number(label))
    codes = space.reference[here]
    nearest = here[np.square(codes - np.median(codes, axis=0)).sum(1).argmin()]
    image: Images = dataset.test.images[nearest][None]
    return image


def _write(
    path: Path,
    result: Result,
    dataset: Dataset,
    pictures: dict[str, Picture],
    film: Film,
    gif: Path,
    command: str,
) -> None:
    test, space = result.test, result.space
    exhibits = [
        Exhibit(
            "The atlas",
            "The whole space at a glance. Every picture is drawn by the decoder from two numbers alone, its place; "
            "going from one to its neighbour, one digit turns into another without a jump.",
            pictures["atlas"],
        ),
        Exhibit(
            "Where the digits lie",
            "Each point is a test image, which training never saw, placed by the encoder. The labels played no part "
            "in training: that digits of a kind gather is what the model found out. The arrows are concepts, "
            "directions from the average of all others to the average of one digit.",
            pictures["map"],
        ),
        Exhibit(
            "A morph",
            f"A walk through the space from a {_MORPH[0]} by way of {', '.join(_MORPH[1:-1])} to a {_MORPH[-1]}. "
            f"Each of the {len(film)} frames is a decoded point of the way.",
            gif.read_bytes(),
        ),
        Exhibit(
            "Edits along concepts",
            "An image is encoded, moved along one concept, and decoded. Strength 1 is the way from the average "
            "other digit to the average one; negative strengths go the other way. Shown are the concepts that the "
            "held-out images support best (morpho concept list latest shows the evidence for all ten).",
            pictures["edits"],
        ),
        Exhibit(
            "Reconstructions",
            "Test images, and below them what two numbers keep of each. The form survives, the handwriting does "
            "not: for that, give the space more latents (morpho train mnist --latent-dim 16).",
            pictures["reconstructions"],
        ),
        Exhibit(
            "Samples",
            "Points drawn at random from the prior and decoded: digits that nobody wrote.",
            pictures["samples"],
        ),
    ]
    write_report(
        path,
        title="A space of handwritten digits",
        lead=f"A variational autoencoder learned it a moment ago, on this machine, from {len(dataset.train):,} real "
        f"images of {dataset.shape[1]}x{dataset.shape[0]} pixels.",
        facts=[
            ("training", f"{result.train['seconds']:.1f} s"),
            ("epochs", str(result.train["epochs"])),
            ("images a second", f"{result.train['images_per_second'] or 0:,.0f}"),
            ("latents", str(space.latent_dim)),
            ("parameters", f"{space.parameters:,}"),
            ("test −ELBO", f"{test.neg_elbo or 0:.2f} nats"),
        ],
        exhibits=exhibits,
        warnings=result.warnings,
        commands=NEXT,
        footer=f"Morphospace {__version__}. {command} with seed {space.about['seed']}. "
        f"-ELBO is the sum of reconstruction ({test.reconstruction:.2f}) and KL ({test.kl or 0:.2f}), "
        f"nats an image over {len(dataset.test)} test images.",
    )
