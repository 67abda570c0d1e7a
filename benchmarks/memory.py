"""The memory that training takes with few and with very many images, under a limit that the many exceed.

    python benchmarks/memory.py [--few 10000] [--many 1000000] [--side 32] [--limit 1500]

Prepares both sets of sprites, then trains each for so many steps in a process that may hold at most ``--limit`` MB of
its own (RLIMIT_DATA), and prints the peak of the whole process, files that it maps included (VmHWM).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

STEPS = 400

TRAIN = """
import json, sys, time
from morphospace.data import open_dataset
from morphospace.recipes import build_model, build_stages, find_recipe
from morphospace.training import Stepped, Trainer, choose_machine

began = time.perf_counter()
dataset = open_dataset(sys.argv[1])
recipe = find_recipe("conv").for_images(len(dataset.train))
model = build_model(recipe, dataset.shape, seed=0)
trainer = Trainer(
    model, build_stages(recipe, model, dataset.shape, seed=0), dataset.train.images,
    dataset.train.labels, seed=0, machine=choose_machine(device="cpu"),
)
steps, limit = 0, int(sys.argv[2])
for event in trainer.run(lambda: steps >= limit):
    steps += isinstance(event, Stepped)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "images": len(dataset.train), "bytes": dataset.train.images.nbytes, "steps": steps,
    "peak_mb": int(status["VmHWM"].split()[0]) / 1024, "seconds": time.perf_counter() - began,
}))
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--limit", type=int, default=1500)
    asked = parser.parse_args()
    peaks = []
    for count in (asked.few, asked.many):
        source = f"sprites:count={count},size={asked.side}"
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "morphospace", "data", "prepare", source], check=True, capture_output=True
        )
        ready = time.perf_counter() - began
        done = subprocess.run(
            [sys.executable, "-c", TRAIN, source, str(STEPS)], check=True, capture_output=True, text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (asked.limit << 20, asked.limit << 20)),
        )  # fmt: skip
        said = json.loads(done.stdout)
        peaks.append(said["peak_mb"])
        print(
            f"{said['images']:9,} images of {said['bytes'] / 1e6:7,.0f} MB: peak {said['peak_mb']:6,.0f} MB in "
            f"{said['steps']} steps, {said['seconds']:.1f} s; prepared in {ready:.1f} s",
            flush=True,
        )
    print(f"{peaks[1] / peaks[0] - 1:+.1%}")


if __name__ == "__main__":
    main()
