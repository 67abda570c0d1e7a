"""Every verb on a small run; and what it says when it is used wrongly."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from morphospace import demo
from morphospace.data import open_dataset
from morphospace.images import read_image, read_text
from morphospace.points import read_points
from morphospace.space import load
from morphospace.training.journal import read_metrics

Morpho = Callable[..., Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, prepare: Morpho) -> Path:
    """A folder with one finished run and two concepts in it."""
    folder = tmp_path_factory.mktemp("home")
    done = prepare(folder, "train", "digits", "--epochs", "4", "--seed", "7", "--json")
    (folder / "train.json").write_text(done.out)
    (folder / "train.err").write_text(done.err)
    for label in ("0", "6"):
        prepare(folder, "concept", "learn", "latest", label, "--data", "digits", "--label", label)
    return folder


@pytest.fixture
def at(home: Path, tmp_path: Path, morpho: Morpho) -> Morpho:
    """Run a verb in a copy of that folder."""
    shutil.copytree(home, tmp_path / "home")
    return lambda *arguments: morpho(*arguments, cwd=tmp_path / "home")


def test_train_prints_one_json_object_and_progress_on_stderr(home: Path) -> None:
    said = json.loads((home / "train.json").read_text())
    assert said["run"] == "runs/0001-digits-quick"
    assert said["seed"] == 7
    assert said["train"]["epochs"] == 4
    assert said["train"]["images_per_second"] > 0
    assert set(said["test"]) == {"neg_elbo", "reconstruction", "kl", "beta", "psnr", "book_loss"}
    assert said["test"]["neg_elbo"] == pytest.approx(said["test"]["reconstruction"] + said["test"]["kl"])
    lines = (home / "train.err").read_text().splitlines()
    assert sum(line.startswith("epoch") for line in lines) == 4
    assert not any("\x1b" in line for line in lines)


def test_a_run_leaves_what_the_design_says(home: Path) -> None:
    run = home / "runs" / "0001-digits-quick"
    left = {p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file()}
    assert {
        "recipe.json", "metrics.jsonl", "report.html", "checkpoint/state.safetensors", "space/config.json",
        "space/model.safetensors", "space/concepts.json", "space/concepts.safetensors", "space/preprocessing.json",
        "space/reference.safetensors", "space/README.md", "sheets/epoch-0004-samples.png",
        "sheets/epoch-0004-reconstructions.png",
    } <= left  # fmt: skip
    assert [m["epoch"] for m in read_metrics(run / "metrics.jsonl")] == [1, 2, 3, 4]
    assert "train digits" in read_text(run / "sheets" / "epoch-0004-samples.png")["command"]
    page = (run / "report.html").read_text()
    assert "http" not in re.sub(r"data:[^\"]+", "", page)
    pictures = re.findall(r"data:image/png;base64,([^\"]+)", page)
    assert len(pictures) >= 5
    for picture in pictures:
        with Image.open(io.BytesIO(base64.b64decode(picture))) as opened:
            assert np.asarray(opened).std() > 5
    assert not any(p.suffix in (".pt", ".pkl", ".bin") for p in run.rglob("*"))


@pytest.mark.parametrize(
    ("arguments", "suffix"),
    [
        (("sample", "latest", "-n", "9", "--seed", "2"), ".png"),
        (("atlas", "latest", "--grid", "4"), ".png"),
        (("reconstruct", "latest", "digits:test/0", "digits:test/1"), ".png"),
        (("morph", "latest", "digits:test/0", "digits:test/1", "digits:test/2", "--frames", "7"), ".gif"),
        (("edit", "latest", "digits:test/3", "--concept", "6=1.5", "--concept", "0=-0.5"), ".png"),
        (("encode", "latest", "digits:test"), ".npz"),
    ],
)
def test_verbs_write_numbered_files_and_never_overwrite(at: Morpho, arguments: tuple[str, ...], suffix: str) -> None:
    first, second = at(*arguments, "--json"), at(*arguments, "--json")
    assert first.code == second.code == 0, first.err + second.err
    paths = [Path(ran.json["outputs"][0]) for ran in (first, second)]
    assert [p.name[:5] for p in paths] == ["0001-", "0002-"]
    assert paths[0].suffix == suffix
    assert "seed" in first.json
    named = at(*arguments, "--out", f"x{suffix}")
    assert named.code == 0
    again = at(*arguments, "--out", f"x{suffix}")
    assert again.code == 1
    assert "exists" in again.err
    assert "--force" in again.err
    assert at(*arguments, "--out", f"x{suffix}", "--force").code == 0


def test_verbs_that_run_at_once_overwrite_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "morphospace", "sample", "builtin", "-n", "4", "--seed"]
    running = [subprocess.Popen([*command, str(seed)], cwd=tmp_path, stdout=subprocess.DEVNULL) for seed in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    written = sorted((tmp_path / "morpho-out").iterdir())
    assert [path.name for path in written] == ["0001-sample.png", "0002-sample.png"]
    assert {read_text(path)["sample_seed"] for path in written} == {"0", "1"}


def test_pictures_carry_their_seed_and_command(at: Morpho, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert at("sample", "latest", "-n", "4", "--seed", "11", "--out", "s.png").code == 0
    text = read_text(home / "s.png")
    assert "--seed 11" in text["command"]
    assert text["sample_seed"] == "11"
    assert at("morph", "latest", "digits:test/0", "digits:test/1", "--out", "m.gif").code == 0
    comment = read_text(home / "m.gif")["comment"]
    assert "seed: 7" in comment
    assert "morpho morph latest" in comment


def test_morph_strip_and_slerp(at: Morpho, tmp_path: Path) -> None:
    ran = at(
        "morph",
        "latest",
        "digits:test/0",
        "digits:test/1",
        "--frames",
        "5",
        "--path",
        "slerp",
        "--out",
        "m.png",
    )
    assert ran.code == 0
    image = read_image(tmp_path / "home" / "m.png")
    assert image.shape[1] == 5 * image.shape[0]


def test_an_edit_at_strength_zero_with_detail_is_the_image_itself(at: Morpho, tmp_path: Path) -> None:
    ran = at("edit", "latest", "digits:test/3", "--concept", "6=0", "--keep-detail", "--out", "e.png", "--json")
    assert ran.code == 0
    assert (read_image(tmp_path / "home" / "e.png") == open_dataset("digits").test.images[3]).all()
    assert ran.json["outputs"] == ["e.png", "e-sheet.png"]
    assert at("edit", "latest", "e-sheet.png", "--concept", "6=1").code == 0  # any picture file will do


def test_encode_then_decode_keeps_names_and_equals_reconstruct(at: Morpho, tmp_path: Path) -> None:
    home = tmp_path / "home"
    from morphospace.space import load

    for name in ("z.npz", "z.csv"):
        assert at("encode", "latest", "digits:test", "--out", name).code == 0
        table = read_points(home / name)
        assert table.names[5] == "digits:test/5"
        assert table.labels[5] == str(open_dataset("digits").test.labels[5])  # type: ignore[index]
        ran = at("decode", "latest", name, "--out", f"out-{name}", "--json")
        assert ran.code == 0
        assert ran.json["images"] == len(table.z)
        space = load(home / "runs" / "0001-digits-quick")
        made = space.reconstruct(open_dataset("digits").test.images[5])[0]
        assert (read_image(home / f"out-{name}" / "digits-test-5.png") == made).all()
    whole = at("encode", "latest", "digits", "--out", "all.npz", "--json")
    assert whole.json["points"] == 1797


def test_concepts_are_listed_renamed_and_removed(at: Morpho) -> None:
    listed = at("concept", "list", "latest", "--json").json["concepts"]
    assert [c["name"] for c in listed] == ["0", "6"]
    assert listed[0]["held_out"]
    assert 0.5 < listed[0]["auc"] <= 1
    assert listed[0]["positives"] > 100
    assert at("concept", "learn", "latest", "6", "--data", "digits", "--label", "6").code == 2
    assert at("concept", "rename", "latest", "6", "six").code == 0
    assert at("concept", "rename", "latest", "0", "six").code == 2
    assert at("edit", "latest", "digits:test/0", "--concept", "six=1").code == 0
    assert at("concept", "remove", "latest", "six").code == 0
    assert [c["name"] for c in at("concept", "list", "latest", "--json").json["concepts"]] == ["0"]
    gone = at("edit", "latest", "digits:test/0", "--concept", "six=1")
    assert gone.code == 2
    assert 'no concept "six"' in gone.err


def test_concepts_from_attributes_measures_and_folders(at: Morpho, tmp_path: Path) -> None:
    def learned(name: str, *arguments: str) -> dict[str, Any]:
        ran = at("concept", "learn", "latest", name, *arguments, "--json")
        assert ran.code == 0, ran.err
        concept: dict[str, Any] = ran.json["concept"]
        assert abs(concept["correlation"] or 0) <= 1
        assert concept["stability"] <= 1
        return concept

    sprites = ("--data", "sprites:count=300,size=16")
    scale = learned("scale", *sprites, "--attribute", "scale")
    assert "balanced by label" in scale["source"]
    assert scale["correlation"] is not None
    assert abs(scale["positives"] - scale["negatives"]) <= 1
    heart = learned("heart", *sprites, "--attribute", "shape=heart", "--balance", "x", "--method", "ridge")
    assert (heart["method"], heart["correlation"]) == ("ridge, balanced", None)
    slant = learned("slant", "--data", "digits", "--measure", "slant", "--balance", "none", "--method", "auto")
    low, high = slant["auc_interval"]
    assert low < slant["auc"] < high
    again = learned("zero", "--data", "digits", "--label", "0")
    assert any('nearly the same as "0"' in words for words in again["warnings"])
    assert at("data", "export", "digits", str(tmp_path / "pictures")).code == 0
    few = tmp_path / "few"
    few.mkdir()
    for file in sorted((tmp_path / "pictures" / "train" / "3").iterdir())[:5]:
        shutil.copy(file, few)
    three = learned("three", "--positive", str(few))
    assert three["positives"] == 5
    assert not three["held_out"]
    against = learned("3", "--positive", str(few), "--negative", str(tmp_path / "pictures" / "test" / "1"))
    assert against["negatives"] < three["negatives"]
    for arguments, words in [
        ((), "--data SET, or --positive"),
        (("--data", "digits", "--positive", str(few)), "both or neither"),
        (("--data", "digits"), "none or several"),
        (("--data", "digits", "--label", "1", "--measure", "ink"), "none or several"),
        (("--data", "digits", "--measure", "sland"), 'Did you mean "slant"'),
        (("--data", "digits", "--attribute", "age"), "It has none"),
        (("--data", "digits", "--label", "1", "--method", "magic"), 'no "magic"'),
        (("--data", "digits", "--label", "1", "--negative", str(few)), "belongs to --positive"),
        (("--data", "digits", "--label", "1", "--balance", "label"), "within every stratum"),
        ((*sprites, "--attribute", "shape"), "shape="),
        ((*sprites, "--attribute", "shape=hart"), 'Did you mean "heart"'),
        ((*sprites, "--measure", "ink", "--method", "logistic"), "yes and no"),
        (("--positive", str(few), "--label", "1"), "belong to --data"),
        (("--positive", "digits"), "folder of pictures"),
    ]:
        wrong = at("concept", "learn", "latest", "new", *arguments)
        assert wrong.code in (1, 2), wrong.err
        assert words in wrong.err, (arguments, wrong.err)


def test_edits_to_a_class(at: Morpho, tmp_path: Path) -> None:
    assert "concept classes" in at("edit", "latest", "digits:test/3", "--to", "6").err
    ran = at("concept", "classes", "latest", "--data", "digits", "--json")
    assert "often miss" in ran.err, "after four epochs in two dimensions"
    learned = ran.json
    assert learned["classes"] == [str(label) for label in range(10)]
    assert sum(learned["counts"]) > 1000
    assert learned["worst"] == min(min(row) for row in learned["reached"])
    again = at("concept", "classes", "latest", "--data", "digits")
    assert again.code == 2
    assert "--force" in again.err
    said = at("edit", "latest", "digits:test/3", "--to", "0", "--out", "e.png", "--json").json
    assert (said["to"], said["from"], said["strength"], said["concepts"]) == ("0", None, 1.0, {})
    space = load(tmp_path / "home" / "runs" / "0001-digits-quick")
    expected = space.edit(open_dataset("digits").test.images[3], target="0")[0]
    assert (np.asarray(Image.open(tmp_path / "home" / "e.png")) == expected[..., 0]).all()
    assert (tmp_path / "home" / "e-sheet.png").exists()
    same = at("edit", "latest", "digits:test/3", "--to", "0", "--strength", "0", "--keep-detail", "--out", "s.png")
    assert same.code == 0
    original = open_dataset("digits").test.images[3][..., 0]
    assert (np.asarray(Image.open(tmp_path / "home" / "s.png")) == original).all()
    both = at("edit", "latest", "digits:test/3", "--from", "3", "--to", "0", "--concept", "6=0.5")
    assert both.code == 0
    for arguments, words in [
        (("--to", "10"), 'no class "10"'),
        (("--to", "0", "--from", "ten"), 'no class "ten"'),
        (("--to", "0", "--from", "0"), "another class"),
        (("--to", "0", "--strength", "nan"), "finite"),
        (("--from", "3"), "--to CLASS"),
        (("--strength", "2", "--concept", "6=1"), "--to CLASS"),
        ((), "got none of them"),
    ]:
        wrong = at("edit", "latest", "digits:test/3", *arguments)
        assert wrong.code == 2, (arguments, wrong.err)
        assert words in wrong.err


def test_info_evaluate_and_data_info(at: Morpho) -> None:
    info = at("info", "latest", "--json").json
    assert info["recipe"] == "quick"
    assert info["concepts"] == ["0", "6"]
    figures = at("evaluate", "latest", "--json").json
    trained = json.loads(json.dumps(info["test"]))
    assert figures["test"]["kl"] == pytest.approx(trained["kl"])
    assert figures["images"] == 195
    assert "nll" not in figures["test"]
    weighted = at("evaluate", "latest", "--samples", "50", "--json").json["test"]
    assert weighted["nll"] < weighted["neg_elbo"] == figures["test"]["neg_elbo"]
    assert weighted["nll_samples"] == 50
    assert at("evaluate", "latest", "--samples", "0").code == 2
    exact = at("evaluate", "latest", "--points", "2584", "--json").json["test"]
    assert exact["exact_points"] == 2584
    assert weighted["nll"] - 0.3 < exact["exact_nll"] < weighted["nll"] + 0.02, "draws give a bound, points the figure"
    assert at("evaluate", "latest", "--points", "0").code == 2
    same = at("evaluate", "latest", "--seed", "7", "--json").json
    assert same["test"]["neg_elbo"] == pytest.approx(trained["neg_elbo"])
    data = at("data", "info", "digits", "--json").json
    assert data["train"] + data["test"] == 1797
    assert len(data["labels"]) == 10
    for verb in (
        ("info", "latest"),
        ("evaluate", "latest"),
        ("data", "info", "digits"),
        ("recipes",),
        ("concept", "list", "latest"),
    ):
        ran = at(*verb)
        assert ran.code == 0
        assert ran.out.strip()


def test_recipes(morpho: Morpho) -> None:
    names = [r["name"] for r in morpho("recipes", "--json").json["recipes"]]
    assert names == [
        "quick",
        "minute",
        "editing",
        "conditional",
        "conv",
        "photo",
        "book",
        "autoencoder",
        "sparse-autoencoder",
        "vamp",
        "iwae",
        "vq",
        "lattice",
    ]


@pytest.mark.parametrize("recipe", ["autoencoder", "sparse-autoencoder"])
def test_autoencoders_have_no_bound(morpho: Morpho, recipe: str) -> None:
    ran = morpho("train", "digits", "--recipe", recipe, "--epochs", "2", "--json")
    assert ran.code == 0, ran.err
    test = ran.json["test"]
    assert test["neg_elbo"] is None
    assert test["kl"] is None
    assert test["beta"] is None
    assert test["reconstruction"] > 0
    for verb in (("atlas", "latest", "--grid", "3"), ("sample", "latest", "-n", "3"), ("evaluate", "latest")):
        assert morpho(*verb).code == 0


def test_set_and_latent_dim(morpho: Morpho) -> None:
    ran = morpho(
        "train", "digits", "--latent-dim", "5", "--epochs", "1", "--set", "decoder_widths=16,8", "--set", "beta=0.5",
        "--set", "likelihood=continuous-bernoulli", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.json["test"]["beta"] == 0.5
    assert "book_loss" not in ran.json["test"]
    assert morpho("info", "latest", "--json").json["latent_dim"] == 5
    assert morpho("atlas", "latest", "--grid", "3").code == 0


WRONG: list[tuple[tuple[str, ...], int, str]] = [
    (("train", "mnits"), 2, 'Did you mean "mnist"'),
    (("train", "digits", "--recipe", "qick"), 2, 'Did you mean "quick"'),
    (("train", "digits", "--set", "epoch=3"), 2, 'Did you mean "epochs"'),
    (("train", "digits", "--set", "epochs"), 2, "key=value"),
    (("train", "digits", "--set", "epochs=many"), 2, "whole number"),
    (("train", "digits", "--set", "epochs=2.5"), 2, "whole number"),
    (("train", "digits", "--set", "beta=-1"), 2, "0 to"),
    (("train", "digits", "--set", "beta=nan"), 2, "0 to"),
    (("train", "digits", "--set", "posterior=point"), 2, "objective=reconstruction"),
    (("train", "digits", "--set", "likelihood=gausian"), 2, 'Did you mean "gaussian"'),
    (("train", "digits", "--set", "decoder_widths=3,-4"), 2, "expected 1 to"),
    (("train", "digits", "--latent-dim", "0"), 2, "got 0"),
    (("train", "digits", "--latent-dim", "65"), 2, "1 to 64"),
    (("train", "digits", "--epochs", "0"), 2, "got 0"),
    (("train", "digits", "--device", "cda"), 2, "not on this machine"),
    (("train", "digits", "--precision", "fp8"), 2, "auto, bf16 or fp32"),
    (("train", "digits", "--sed", "3"), 2, "--seed"),
    (("trian", "digits"), 2, "train"),
    (("resume", "nowhere"), 1, "does not exist"),
    (("atlas", "latest"), 1, "morpho train"),
    (("atlas", "nowhere"), 1, "does not exist"),
    (("info", "."), 1, "is no space"),
    (("data", "info", "digit"), 2, 'Did you mean "digits"'),
    (("morph", "latest", "digits:test/0"), 2, "at least two"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "words"), WRONG, ids=lambda v: " ".join(v) if isinstance(v, tuple) else ""
)
def test_wrong_usage_is_one_clear_line(
    morpho: Morpho, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ran = morpho(*arguments)
    assert ran.code == code, ran.err
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert not list(tmp_path.iterdir()), "nothing half-written"


def test_wrong_usage_of_a_space(at: Morpho, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "broken.png").write_bytes(b"\x89PNG broken")
    (home / "z.csv").write_text("z1,z2,z3\n1,2,3\n")
    (home / "nan.csv").write_text("z1,z2\nnan,1\n")
    before = set(home.rglob("*"))
    cases: list[tuple[tuple[str, ...], int, str]] = [
        (("edit", "latest", "digits:test/0", "--concept", "7=1"), 2, 'no concept "7"'),
        (("edit", "latest", "digits:test/0", "--concept", "6"), 2, "NAME=STRENGTH"),
        (("edit", "latest", "digits:test/0", "--concept", "6=inf"), 2, "finite"),
        (("edit", "latest", "nowhere.png", "--concept", "6=1"), 1, "no file"),
        (("edit", "latest", "broken.png", "--concept", "6=1"), 1, "broken.png"),
        (("edit", "latest", "digits:test/100000", "--concept", "6=1"), 2, "items 0 to"),
        (("morph", "latest", "digits:test/0", "runs"), 2, "folder"),
        (("morph", "latest", "digits:test/0", "digits:test/1", "--path", "slurp"), 2, 'Did you mean "slerp"'),
        (("morph", "latest", "digits:test/0", "digits:test/1", "--frames", "1"), 2, "frames"),
        (("morph", "latest", "digits:test/0", "digits:test/1", "--out", "x.mp4"), 2, ".gif or .png"),
        (("sample", "latest", "-n", "0"), 2, "-n"),
        (("atlas", "latest", "--out", "runs"), 1, "folder"),
        (("decode", "latest", "z.csv"), 1, "this space has 2"),
        (("decode", "latest", "nan.csv"), 1, "finite"),
        (("decode", "latest", "nowhere.npz"), 1, "cannot read"),
        (("encode", "latest", "digits", "--out", "z.txt"), 2, ".npz or .csv"),
        (("encode", "latest", "digits:best"), 2, "train"),
        (("concept", "learn", "latest", "x", "--data", "digits", "--label", "10"), 2, "no label"),
        (("concept", "learn", "latest", "a=b", "--data", "digits", "--label", "1"), 2, "without"),
        (("concept", "remove", "latest", "sixx"), 2, "no concept"),
        (("evaluate", "latest", "--data", "nothing"), 2, "no data set"),
        (("resume", "runs/0001-digits-quick"), 1, "finished already"),
    ]  # fmt: skip
    for arguments, code, words in cases:
        ran = at(*arguments)
        assert ran.code == code, (arguments, ran.err)
        assert words in ran.err, (arguments, ran.err)
        assert "Traceback" not in ran.err
    assert set(home.rglob("*")) - before <= {home / "morpho-out"}, "nothing half-written"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", b"{}"),
        ("config.json", b"not json"),
        ("config.json", None),
        ("model.safetensors", b"\x08\x00\x00\x00\x00\x00\x00\x00{}"),
        ("model.safetensors", "truncate"),
        ("concepts.json", b'{"6": {"colour": 1}}'),
        ("reference.safetensors", b""),
        ("classes.safetensors", b""),
        ("preprocessing.json", None),
    ],
)
def test_damaged_bundles(at: Morpho, tmp_path: Path, file: str, content: bytes | str | None) -> None:
    path = tmp_path / "home" / "runs" / "0001-digits-quick" / "space" / file
    if content is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:1000] if isinstance(content, str) else content)
    ran = at("atlas", "runs/0001-digits-quick/space", "--grid", "2")
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert not (tmp_path / "home" / "morpho-out").exists()


def test_errors_are_json_too_and_debug_shows_the_traceback(morpho: Morpho) -> None:
    ran = morpho("atlas", "nowhere", "--json")
    assert ran.code == 1
    assert "does not exist" in ran.json["error"]
    assert "Traceback" in morpho("atlas", "nowhere", "--debug").err


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, morphospace, morphospace.cli; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for heavy in ("torch", "numpy", "sklearn", "matplotlib", "PIL"):
        assert f"'{heavy}'" not in done.stdout


def test_every_verb_has_help(morpho: Morpho) -> None:
    for verb in ("train", "resume", "recipes", "info", "sample", "atlas", "reconstruct", "morph", "encode", "decode",
                 "edit", "evaluate", "demo", "data info", "concept learn", "concept classes",
                 "concept list", "concept remove", "concept rename"):  # fmt: skip
        ran = morpho(*verb.split(), "--help")
        assert ran.code == 0
        assert "--json" in ran.out


def test_an_output_folder_that_may_not_be_written_is_one_line(morpho: Morpho, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = morpho("train", "digits", "--epochs", "1", "--out", "file/runs")
    assert ran.code == 1
    assert "--out" in ran.err
    assert "Traceback" not in ran.err


def test_a_full_disk_stops_training_with_one_line_and_the_run_resumes(morpho: Morpho, tmp_path: Path) -> None:
    """A file-size limit stands in for a disk that fills in the middle."""
    limit = "import resource, runpy, sys, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)); sys.argv = ['morpho', *sys.argv[1:]]; "
    limit += "runpy.run_module('morphospace', run_name='__main__')"
    arguments = ["train", "digits", "--epochs", "3"]
    done = subprocess.run(
        [sys.executable, "-c", limit, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    run = tmp_path / "runs" / "0001-digits-quick"
    assert not list(run.rglob("*.safetensors"))
    assert not list(run.rglob(".morpho-partial-*"))
    assert morpho("resume", str(run)).code == 0


@pytest.mark.parametrize("epochs", [20, pytest.param(60, marks=pytest.mark.acceptance)])
def test_demo(morpho: Morpho, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: int) -> None:
    """As it is, and sooner."""
    assert demo.EPOCHS == 60
    monkeypatch.setattr(demo, "EPOCHS", epochs)
    began = time.monotonic()
    ran = morpho("demo", "--json")
    assert ran.code == 0, ran.err
    assert time.monotonic() - began < 250
    names = [Path(p).name for p in ran.json["outputs"]]
    assert names[:2] == ["report.html", "explorer.html"]
    assert {"atlas.png", "map.png", "reconstructions.png", "morph.gif", "edits.png"} <= set(names)
    assert not ran.json["warnings"], "both latents of the demo's space must be used"
    page = (tmp_path / ran.json["outputs"][0]).read_text()
    assert page.count("<section>") >= 7
    assert "http:" not in re.sub(r"data:[^\"]+", "", page)
