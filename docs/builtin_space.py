"""Make the space that comes with the package, from the run of ``morpho train mnist --recipe minute --seed 2``.

    python docs/builtin_space.py runs/0001-mnist-minute

It learns a concept of each digit and of what can be measured of a drawing, the classes, rounds the weights to 16-bit
floats, and renews the figures and the reference points from the rounded weights.
"""

from __future__ import annotations

import sys
from pathlib import Path

import morphospace as ms
from morphospace.builtin import builtin_folder
from morphospace.evaluate import evaluate_space, reconstruction_errors

MEASURES = ("slant", "stroke-width", "width")


def main(run: Path) -> None:
    mnist = ms.open_dataset("mnist")
    space = ms.load(run)
    space.model.half().float()
    images = mnist.test.images[:]
    space.reference = space.encode(images).mean
    space.errors = reconstruction_errors(space, images, space.reference)
    space.about["test"] = evaluate_space(space, mnist)["test"]
    for digit in mnist.label_names:
        ms.learn_from_dataset(space, digit, mnist, label=digit)
    for measure in MEASURES:
        ms.learn_from_dataset(space, measure, mnist, measured=measure)
    ms.learn_label_classes(space, mnist)
    space.save(builtin_folder(), force=True, half=True)
    size = sum(file.stat().st_size for file in builtin_folder().iterdir())
    print(f"{size:,} bytes, test figures {space.about['test']}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
