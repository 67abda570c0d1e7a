"""The page of a run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.arrays import float32
from tests.report.solid import LABELS, LEVELS, NAMES, solid_set, solid_space, text_of

from morphospace.report.run import write_run_report


@pytest.mark.parametrize("prior", [True, False])
def test_the_page_of_a_run_has_its_figures(tmp_path: Path, *, prior: bool) -> None:
    about = {
        "seed": 5,
        "data": {"name": "greys"},
        "command": "morpho train <greys>",
        "train": {"seconds": 12.34, "images_per_second": 4321.0, "epochs": 2},
        "test": {"neg_elbo": 12.3456 if prior else None, "reconstruction": 11.5, "kl": 0.84 if prior else None,
                 "beta": 0.4 if prior else None, "psnr": 20.06},
    }  # fmt: skip
    space = solid_space(reference=float32([[40, 0], [44, 1], [160, 0]]), about=about)
    run = tmp_path / "0001-greys"
    run.mkdir()
    dataset = solid_set(LEVELS, LABELS, NAMES)
    losses = {"neg_elbo": 12.0, "reconstruction": 11.0, "kl": 1.0}
    metrics = [{"epoch": epoch, "train": losses, "test": losses} for epoch in (1, 2)]
    write_run_report(run / "report.html", space, dataset, metrics=metrics, warnings=["collapse: <all>"])
    page = text_of(run / "report.html")
    for words in ("10 images of 8x8 pixels", "2 epochs, seed 5", "12.3 s", "4,321", "11.50 nats", "20.1 dB",
                  "collapse: <all>", "morpho train <greys>", f"morpho sample {run} -n 64"):  # fmt: skip
        assert words in page, words
    assert ("12.35 nats" in page, "beta" in page) == (prior, prior)
    html = (run / "report.html").read_text(encoding="utf-8")
    assert re.findall("<h2>(.*?)</h2>", html) == [
        "The atlas", "Where the test images lie", "Reconstructions", "Samples", "Training", "What to type next",
    ]  # fmt: skip
