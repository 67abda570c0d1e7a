"""How fast many small JPEGs are prepared, beside what Pillow alone can decode, and how soon a second start is ready.

    python benchmarks/preparation.py [--count 100000] [--side 64] [--rounds 3]

Writes the JPEGs (textures of several scales, quality 90), then takes turns: Pillow opens and decodes all of them, its
work shared between as many processes as there are processors; ``morpho data prepare`` prepares them in an empty
cache; and again in the full one. Prints a line for each, and the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from PIL import Image


def write_jpegs(folder: Path, count: int, side: int) -> list[str]:
    """Textures: noise of four scales in each channel."""
    rng = np.random.default_rng(0)
    base = []
    for _ in range(200):
        layers = [
            np.asarray(Image.fromarray(rng.integers(0, 256, (n, n, 3), np.uint8)).resize((side * 2, side * 2)))
            for n in (2, 5, 12, 30)
        ]
        base.append(np.mean(layers, 0).astype(np.uint8))
    names = []
    for i in range(count):
        top, left = rng.integers(0, side, 2)
        name = folder / f"{i // 1000:03d}" / f"{i:06d}.jpg"
        name.parent.mkdir(exist_ok=True)
        Image.fromarray(base[i % 200][top : top + side, left : left + side]).save(name, quality=90)
        names.append(str(name))
    return names


def decode(names: Sequence[str]) -> int:
    """What Pillow must do at the least."""
    total = 0
    for name in names:
        with Image.open(name) as picture:
            total += int(np.asarray(picture)[0, 0, 0])
    return total


def prepare(folder: Path, cache: Path) -> tuple[float, float]:
    """Wall seconds of ``morpho data prepare``, and those that it counts itself, without the start of Python."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "morphospace", "data", "prepare", str(folder), "--json"],
        check=True, capture_output=True, text=True, env={**os.environ, "MORPHOSPACE_CACHE": str(cache)},
    )  # fmt: skip
    return time.perf_counter() - began, json.loads(done.stdout)["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "jpegs")
        folder.mkdir()
        names = write_jpegs(folder, asked.count, asked.side)
        decode(names[:2000])
        ratios = []
        for turn in range(asked.rounds):
            with Pool(processors) as pool:
                began = time.perf_counter()
                pool.map(decode, [names[i::processors] for i in range(processors)])
                plain = asked.count / (time.perf_counter() - began)
            print(f"Pillow alone  {plain:8,.0f} pictures/s on {processors} processors", flush=True)
            cache = Path(home, f"cache{turn}")
            wall, own = prepare(folder, cache)
            ratios.append(asked.count / wall / plain)
            print(f"first start   {asked.count / wall:8,.0f} pictures/s, {wall:.1f} s, {ratios[-1]:.0%}", flush=True)
            wall, own = prepare(folder, cache)
            print(f"second start  {wall:.2f} s wall, {own:.2f} s of its own", flush=True)
    print(f"median {statistics.median(ratios):.0%} of Pillow's own rate")


if __name__ == "__main__":
    main()
