"""Seconds of ``morpho --help``, as a process: the best, the median and the worst of twenty.

python benchmarks/start_up.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time


def main() -> None:
    seconds = []
    for _ in range(20):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "morphospace", "--help"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)
    print(f"best {min(seconds):.3f} s, median {statistics.median(seconds):.3f} s, worst {max(seconds):.3f} s")


if __name__ == "__main__":
    main()
