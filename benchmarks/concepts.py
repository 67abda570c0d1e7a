"""How long concepts take: learning one from 60,000 codes with its bootstrap, a single edit, a geodesic morph.

    python benchmarks/concepts.py SPACE

SPACE is a space of MNIST, like that of ``morpho train mnist --recipe editing``. Medians of seven after a warm-up.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

import morphospace as ms
from morphospace.evaluate.measures import measure
from morphospace.latent import learn_concept
from morphospace.training.machine import keep_freed_memory
from morphospace.workflow import learn_label_classes


def timed(what: str, run: Callable[[], object]) -> None:
    run()
    seconds = []
    for _ in range(7):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    print(f"{what:44} {1000 * median(seconds):8.1f} ms  (worst {1000 * max(seconds):.1f})")


def main() -> None:
    keep_freed_memory()
    space, mnist = ms.load(sys.argv[1]), ms.open_dataset("mnist")
    codes, held = space.encode(mnist.train.images).mean, space.encode(mnist.test.images).mean
    six, held_six = np.asarray(mnist.train.labels) == 6, np.asarray(mnist.test.labels) == 6
    slant, held_slant = (measure("slant", split.images) for split in (mnist.train, mnist.test))
    strata = np.asarray(mnist.train.labels)
    for method in ("mean-difference", "ridge", "lda", "logistic", "auto", "local"):
        timed(
            f"learn 6 from {len(codes):,} codes, {method}",
            lambda method=method: learn_concept("6", codes, six, method=method, held_out=(held, held_six)),  # type: ignore[misc]
        )
    timed(
        "learn slant, local, balanced",
        lambda: learn_concept("slant", codes, slant, strata=strata, held_out=(held, held_slant)),
    )
    space.concepts["6"] = learn_concept("6", codes, six)
    space.concepts["slant"] = learn_concept("slant", codes, slant, strata=strata)
    learn_label_classes(space, mnist)
    image, other = mnist.test.images[:1], mnist.test.images[1]
    timed("edit an image along a direction", lambda: space.edit(image, {"6": 1.0}))
    timed("edit an image along a field", lambda: space.edit(image, {"slant": 1.0}))
    timed("edit an image, another kept", lambda: space.edit(image, {"slant": 1.0}, keep=["6"]))
    timed("edit an image until 90 %", lambda: space.edit(image, until={"6": 0.9}))
    timed("edit an image to another class", lambda: space.edit(image, target="9", source="7"))
    timed("geodesic morph of 32 frames", lambda: space.morph(image[0], other, frames=32, path="geodesic"))


if __name__ == "__main__":
    main()
