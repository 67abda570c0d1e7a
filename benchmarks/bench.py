# ruff: noqa: E501 - the rows of tables
"""Morphospace beside its peers: the book's network trained and decoded, time to quality, growth of cost.

    MORPHOSPACE_DATA=... make bench                    # everything, about 50 minutes on two cores
    python benchmarks/bench.py --peers PYTHON [--rounds 3] [--only speed decode quality growth]

PYTHON is the interpreter of an environment that has the peers. Contestants take turns, each in a process of its own, with
nothing else running; a round's figure is a contestant's best, the table has medians over the rounds and the spread.
Writes benchmarks/results.json (parts that were not run again keep their figures) and benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from morphospace.data import open_dataset

HERE = Path(__file__).parent
RESULTS, TABLE = HERE / "results.json", HERE / "RESULTS.md"
MFLOP = 134.9  # of the book's network, an image forwards and backwards
TO_BOOK = ("--epochs", "3")
MINUTE = ("--recipe", "minute")
SEEDS = (0, 1, 2)
COUNTS = (10_000, 100_000, 1_000_000)

Row = dict[str, Any]


def say(python: str, script: str, *arguments: object) -> Row:
    """What a contestant says, in a process of its own."""
    command = [python, str(HERE / "contestants" / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    said: Row = json.loads(done.stdout.strip().splitlines()[-1])
    return said


def in_turn(contestants: dict[str, Callable[[], Row]], rounds: int) -> dict[str, Row]:
    """Every contestant once a round; medians, spreads and what else they said."""
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    found: dict[str, Row] = {}
    for turn in range(rounds):
        for name, contestant in contestants.items():
            found[name] = contestant()
            rates[name].append(found[name]["rate"])
            print(f"  round {turn + 1}: {name:44} {rates[name][-1]:9,.0f} images/s", flush=True)
    return {
        name: found[name] | {"rate": statistics.median(some), "low": min(some), "high": max(some)}
        for name, some in rates.items()
    }


def speed(peers: str, folder: Path, rounds: int) -> Row:
    """Training, at batch 128 and 16, and the machine's rate of multiplication in the same rounds."""
    gemm, found = say(sys.executable, "morphospace_vae.py", "gemm", folder), {}
    for batch in (128, 16):
        print(f"training, batch {batch}", flush=True)
        keys = (folder, "--batch", batch)

        def ours(*more: str, keys: tuple[object, ...] = keys) -> Row:
            return say(sys.executable, "morphospace_vae.py", "speed", *keys, *more)

        def keras(*more: str, keys: tuple[object, ...] = keys) -> Row:
            return say(peers, "keras_vae.py", "speed", *keys, *more)

        def plain(*more: str, keys: tuple[object, ...] = keys) -> Row:
            return say(sys.executable, "torch_vae.py", "speed", *keys, *more)

        def pythae(keys: tuple[object, ...] = keys) -> Row:
            return say(peers, "pythae_vae.py", "speed", *keys)

        found[str(batch)] = in_turn(
            {
                "Morphospace": ours,
                "Morphospace, compiled": lambda ours=ours: ours("--compile"),  # type: ignore[misc]
                "Keras, fp32": keras,
                "Keras, mixed_bfloat16": lambda keras=keras: keras("--bf16"),  # type: ignore[misc]
                "Pythae": pythae,
                "PyTorch as people write it": plain,
                "PyTorch as people write it, bf16": lambda plain=plain: plain("--bf16"),  # type: ignore[misc]
            },
            rounds,
        )
    again = say(sys.executable, "morphospace_vae.py", "gemm", folder)
    return {"gemm": {name: max(gemm[name], again[name]) for name in ("fp32", "bf16")}, "training": found}


def decode(peers: str, folder: Path, rounds: int) -> Row:
    """The book's decoder: our pixels as users get them, the peers' floats at the batch that suits each best."""
    print("decoding", flush=True)
    contestants: dict[str, Callable[[], Row]] = {
        "Morphospace, Space.decode": lambda: say(
            sys.executable, "morphospace_vae.py", "decode", folder, "--batch", 0, "--seconds", 4
        )
    }
    for name, script, more in (
        ("Keras, predict", "keras_vae.py", ()),
        ("Keras, predict, mixed_bfloat16", "keras_vae.py", ("--bf16",)),
        ("Pythae, decoder", "pythae_vae.py", ()),
    ):
        for batch in (32, 128, 512):
            contestants[f"{name}, batch {batch}"] = lambda script=script, batch=batch, more=more: say(  # type: ignore[misc]
                peers, script, "decode", folder, "--batch", batch, "--seconds", 4, *more
            )
    return in_turn(contestants, rounds)


def train(*arguments: str) -> Row:
    """``morpho train mnist``: seconds of training, of the whole command, and the test figures."""
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        command = [sys.executable, "-m", "morphospace", "train", "mnist", *arguments, "--json", "--out", out]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        wall = time.perf_counter() - began
    said = json.loads(done.stdout)
    return {"seconds": said["train"]["seconds"], "wall": wall, "neg_elbo": said["test"]["neg_elbo"]}


def quality(peers: str, folder: Path, rounds: int) -> Row:
    """The book's ten epochs in Keras, and how soon ``quick`` is as good; and a minute of training."""
    del rounds
    print("the book's ten epochs in Keras", flush=True)
    keras = say(peers, "keras_vae.py", "book", folder)
    keras = say(sys.executable, "morphospace_vae.py", "score", folder) | keras
    found: Row = {"Keras": keras}
    for name, arguments in (("quick", ()), ("to the book's", TO_BOOK), ("minute", MINUTE)):
        found[name] = {"command": " ".join(("morpho train mnist", *arguments))}
        runs = [train(*arguments, "--seed", str(seed)) for seed in SEEDS]
        for key in ("seconds", "wall", "neg_elbo"):
            found[name][key] = [run[key] for run in runs]
        print(f"  {found[name]}", flush=True)
    return found


def growth(peers: str, folder: Path, rounds: int) -> Row:
    """Seconds and memory against the number of images, their side, and the latents: ``conv`` on sprites."""
    del peers, rounds
    print("growth", flush=True)

    def grown(counts: Iterable[int], side: int = 28, latents: int = 32) -> list[Row]:
        options = ("--count", *counts, "--side", side, "--latents", latents)
        said = say(sys.executable, "morphospace_vae.py", "growth", folder, *options)
        print(f"  {options}: {said}", flush=True)
        return [row | {"side": side, "latents": latents, "own_mb": said["own_mb"]} for row in said["rows"]]

    alone = [grown([count])[0] for count in COUNTS]  # the memory of each is that of a process of its own
    return {
        "images": [row | {"own_mb": one["own_mb"]} for row, one in zip(grown(COUNTS), alone, strict=True)],
        "side": [grown([4000], side=side)[0] for side in (28, 64, 128)],
        "latents": [grown([10_000], latents=latents)[0] for latents in (2, 32, 128)],
    }


PARTS: dict[str, Callable[[str, Path, int], Row]] = {
    "speed": speed, "decode": decode, "quality": quality, "growth": growth,
}  # fmt: skip


def machine() -> str:
    """What it ran on, in words."""
    try:
        text = Path("/proc/cpuinfo").read_text()
        name = re.findall(r"model name\s*:\s*(.+)", text)[0]
        flags = [flag for flag in ("avx512_bf16", "avx512_fp16", "amx_bf16") if f" {flag}" in text]
    except (OSError, IndexError):
        name, flags = platform.processor(), []
    return f"{os.cpu_count()} cores of {name} ({', '.join(flags) or 'no bf16'}), {platform.system()}"


def spread(row: Row) -> str:
    return f"{row['rate']:,.0f} ({row['low']:,.0f}-{row['high']:,.0f})"


def best_of(rows: dict[str, Row], start: str) -> float:
    return max(float(row["rate"]) for name, row in rows.items() if name.startswith(start))


def list_of(values: Iterable[float], form: str) -> str:
    return ", ".join(format(value, form) for value in values)


def render(results: Row) -> str:
    """The table, as Markdown."""
    lines = ["# Benchmarks", ""]
    lines += [f"Made by `make bench` on {results['date']}: {results['machine']}.", ""]
    if "speed" in results:
        gemm, training = results["speed"]["gemm"], results["speed"]["training"]
        top = max(gemm.values())
        lines += [
            "## Training the book's network, images a second", "",
            f"Medians of {results['rounds']} rounds, the spread in brackets. The machine multiplies matrices at "
            f"{gemm['fp32']:,.0f} GFLOP/s in fp32 and {gemm['bf16']:,.0f} in bf16, measured between the rounds; the share "
            f"is that of the faster, at {MFLOP} MFLOP an image.", "",
            "| contestant | batch 128 | share | batch 16 | share | version |", "|---|---|---|---|---|---|",
        ]  # fmt: skip
        for name in training["128"]:
            rows = [training[batch][name] for batch in ("128", "16")]
            shares = [f"{row['rate'] * MFLOP / 1e3 / top:.0%}" for row in rows]
            cells = [cell for row, share in zip(rows, shares, strict=True) for cell in (spread(row), share)]
            lines.append(f"| {name} | {' | '.join(cells)} | {rows[0]['version']} |")
        lines += ["", "| ratio of our best to | batch 128 | batch 16 |", "|---|---|---|"]
        for peer in ("Keras", "Pythae", "PyTorch"):
            ratios = [best_of(training[b], "Morphospace") / best_of(training[b], peer) for b in ("128", "16")]
            lines.append(f"| the best of {peer} | {ratios[0]:.2f} | {ratios[1]:.2f} |")
        compiled = training["16"]["Morphospace, compiled"]
        lines += [
            "",
            "All train the same 550,629 parameters by the same loss up to its scale; Keras and we step RMSprop, the others "
            "Adam, whose steps are a fused kernel. Keras's `fit` and we shuffle, count losses and scale pixels in the "
            f"time shown, the plain script only steps. Compiling took {compiled['first_step']:.0f} s before the first step, "
            "which is not in the rates; `morpho train` compiles from 20,000 steps on.",
        ]
    if "decode" in results:
        rows = results["decode"]
        lines += [
            "",
            "## Decoding with the book's decoder, images a second",
            "",
            "| contestant | images/s |",
            "|---|---|",
        ]
        lines += [f"| {name} | {spread(row)} |" for name, row in rows.items()]
        ratios = [best_of(rows, "Morphospace") / best_of(rows, peer) for peer in ("Keras", "Pythae")]
        lines += ["", f"Ratio to the best of Keras {ratios[0]:.2f}, of Pythae {ratios[1]:.2f}. Ours are uint8 pixels."]
    if "quality" in results:
        rows = results["quality"]
        keras = rows["Keras"]
        lines += [
            "", "## Time to quality on MNIST, two latents", "",
            "| what | seeds | seconds of training | seconds in all | test -ELBO, nats |", "|---|---|---|---|---|",
            f"| the book's ten epochs in {keras['version']} | 0 | {keras['seconds']:.0f} | {keras['wall']:.0f} "
            f"| {keras['neg_elbo']:.1f} |",
        ]  # fmt: skip
        for name in ("to the book's", "quick", "minute"):
            row = rows[name]
            cells = [
                list_of(row[key], form) for key, form in (("seconds", ".1f"), ("wall", ".1f"), ("neg_elbo", ".1f"))
            ]
            lines.append(f"| `{row['command']}` | 0, 1, 2 | {' | '.join(cells)} |")
        row = rows["to the book's"]
        without, all_in = (keras[key] / statistics.median(row[key]) for key in ("seconds", "wall"))
        lines += [
            "",
            f"To the book's quality in 1/{without:.0f} of Keras's training time, and in 1/{all_in:.0f} with start, data, "
            "evaluation and report. Not like for like, and meant so: another network, optimiser and KL weight; the same "
            "data, number of latents and test figure.",
        ]
    if "growth" in results:
        rows = results["growth"]
        lines += ["", "## Growth: one epoch of `conv` on sprites, without compilation", ""]
        lines += ["Reckoned from the median step of 300; the first three sets take turns in one process.", ""]
        lines += [
            "| images | side | latents | seconds | images/s | memory of its own, MB |",
            "|---|---|---|---|---|---|",
        ]
        for kind in ("images", "side", "latents"):
            lines += [
                f"| {row['images']:,} | {row['side']} | {row['latents']} | {row['seconds']:,.1f} | {row['rate']:,.0f} "
                f"| {row['own_mb']:,.0f} |"
                for row in rows[kind]
            ]
        few, *more = rows["images"]
        lines.append("")
        lines += [
            f"{many['images'] / few['images']:.0f} times the images take {many['seconds'] / few['seconds']:.1f} times the "
            f"seconds and {many['own_mb'] / few['own_mb'] - 1:+.1%} memory."
            for many in more
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", required=True, help="the interpreter of the peers' environment")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    asked = parser.parse_args()
    results: Row = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results |= {"date": date.today().isoformat(), "machine": machine(), "rounds": asked.rounds}
    with tempfile.TemporaryDirectory() as home:
        data = open_dataset("mnist")
        for name, split in (("train", data.train), ("test", data.test)):
            np.save(Path(home, f"{name}.npy"), np.asarray(split.images))
        for part in asked.only:
            results[part] = PARTS[part](asked.peers, Path(home), asked.rounds)
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")
            TABLE.write_text(render(results), encoding="utf-8")
    print(f"wrote {TABLE}")


if __name__ == "__main__":
    main()
