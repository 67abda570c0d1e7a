"""Whatever is done to a bundle: it loads and the space can be used, or one of our errors names the file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

import morphospace as ms
from morphospace.concept_files import SharedConcept, read_shared_concept, write_shared_concept
from morphospace.errors import ArgumentError, DataError, FileError, MorphospaceError
from morphospace.files import read_json
from morphospace.intensity import Window
from morphospace.interpretation import Interpretation
from morphospace.latent import learn_classes
from morphospace.recipes import build_model, changed, find_recipe
from morphospace.space import Space
from morphospace.workflow import adopt_concept

JSONS = ("config.json", "preprocessing.json", "concepts.json")
TENSORS = ("model.safetensors", "reference.safetensors", "concepts.safetensors", "classes.safetensors")
SHAPE = (6, 5, 1)
DEEP = "[" * 50_000


def tiny() -> Space:
    """A space of all parts: labels, errors, a concept with a field, classes."""
    recipe = changed(find_recipe("quick"), {"encoder_widths": "4", "decoder_widths": "4", "fourier": "2"})
    rng = np.random.default_rng(0)
    codes, labels = rng.standard_normal((24, 2), np.float32), np.arange(24) % 2
    about = {
        "seed": 3, "data": {"name": "tiny", "label_names": ["a", "b"], "resize": "crop", "train_images": 9} | {
            "interpretation": Interpretation(windows={"16-bit": Window(0, 4095)}).to_json()
        },
        "train": {"epochs": 1}, "test": {"neg_elbo": 3.5, "beta": None}, "command": "morpho train tiny",
    }  # fmt: skip
    space = Space(
        build_model(recipe, SHAPE, seed=0), recipe, SHAPE, reference=codes, reference_labels=labels,
        errors=np.abs(codes[:, 0]), classes=learn_classes(["a", "b"], codes, labels, None, "tiny"), about=about,
    )  # fmt: skip
    images = rng.integers(0, 256, (30, *SHAPE), np.uint8)
    space.learn_concept("dark", images=images, values=images.mean((1, 2, 3)).astype(np.float64))
    return space


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny().save(tmp_path_factory.mktemp("bundle") / "whole")


def use(space: Space, folder: Path) -> None:
    """What anybody does with a space."""
    image = np.full(SHAPE, 99, np.uint8)
    z = space.encode(image).mean
    assert space.decode(z).shape == (1, *SHAPE)
    assert space.sample(2, seed=0).shape == (2, *SHAPE)
    assert space.atlas(2).pixels.dtype == np.uint8
    assert len(space.plane().origin) == space.latent_dim
    with np.errstate(all="ignore"), suppress(DataError):  # what a number of 1e38 does, an edit says when it meets it
        for name in space.concepts:
            space.edit(image, {name: 0.5})
        if space.classes is not None:
            space.edit(image, target=space.classes.names[0])
    assert space.card().startswith("---")
    assert "tiny" in repr(space) or space.about.get("data", {}).get("name") != "tiny"
    assert space.text()["software"] == "morphospace"
    assert ms.load(space.save(folder / "again")).fingerprint() == space.fingerprint()


def loads_or_names_the_file(folder: Path) -> None:
    try:
        space = ms.load(folder)
    except MorphospaceError as error:
        if (folder / "config.json").is_file():  # without it a folder is no space
            assert any(str(folder / name) in str(error) for name in (*JSONS, *TENSORS)), error
        assert "\n" not in str(error)
        return
    use(space, folder)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from([10**30, -(2**63), 1e308, float("nan"), float("inf"), "\ud800", "../x", "pad"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


@st.composite
def damaged_json(draw: st.DrawFn) -> Callable[[Path], None]:
    """A value of a JSON file replaced, removed or added, anywhere."""
    name, seed, value = draw(st.sampled_from(JSONS)), draw(st.integers(0, 10**6)), draw(plain)
    what = draw(st.sampled_from(["replace", "replace", "remove", "add", "all"]))

    def damage(folder: Path) -> None:
        path, rng = folder / name, np.random.default_rng(seed)
        whole = read_json(path, "file")
        here: Any = whole
        while True:
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not keys:
                return
            key = keys[rng.integers(len(keys))]
            if not isinstance(here[key], (dict, list)) or rng.random() < 0.3:
                break
            here = here[key]
        if what == "replace":
            here[key] = value
        elif what == "remove":
            del here[key]
        elif isinstance(here, dict):
            here["x"] = value
        path.write_text(json.dumps(value if what == "all" else whole))

    return damage


@st.composite
def damaged_tensors(draw: st.DrawFn) -> Callable[[Path], None]:
    """A tensor of another form, kind or content, or none."""
    name, seed = draw(st.sampled_from(TENSORS)), draw(st.integers(0, 10**6))
    what = draw(
        st.sampled_from(
            ["remove", "rename", "flatten", "empty", "more", "kind", "number", "number", "zeros", "metadata"]
        )
    )
    kind = draw(st.sampled_from([torch.float16, torch.float64, torch.int64, torch.bool, torch.complex64, torch.bfloat16,
                                 torch.float8_e4m3fn, torch.uint8, torch.int32]))  # fmt: skip
    number = draw(st.sampled_from([np.nan, np.inf, -np.inf, 1e38, -1e12, 1e-45, -1.0]))
    words = draw(st.sampled_from(["{}", "[]", DEEP, '{"names": 3}', "\\", '{"names": ["a", "b"], "margin": NaN}']))

    def damage(folder: Path) -> None:
        path, rng = folder / name, np.random.default_rng(seed)
        with safe_open(path, "pt") as file:
            metadata = dict(file.metadata() or {})
        tensors = load_file(path)
        key = sorted(tensors)[rng.integers(len(tensors))]
        value = tensors.pop(key)
        if what == "rename":
            tensors[key + "x"] = value
        elif what == "flatten":
            tensors[key] = value.flatten()
        elif what == "empty":
            tensors[key] = value[:0] if value.ndim else value.reshape(1)[:0]
        elif what == "more":
            tensors[key] = torch.stack([value, value])
        elif what == "kind":
            tensors[key] = value.to(kind)
        elif what == "zeros":
            tensors[key] = torch.zeros_like(value)
        elif what == "number":
            flat = value.flatten().clone()
            flat[rng.integers(len(flat))] = number if value.is_floating_point() else -1
            tensors[key] = flat.reshape(value.shape)
        elif what == "metadata":
            tensors[key], metadata = value, dict.fromkeys(metadata, words)
        save_file(tensors, path, metadata)

    return damage


@st.composite
def damaged_bytes(draw: st.DrawFn) -> Callable[[Path], None]:
    """A file that is missing, cut, overwritten or something else."""
    name, share = draw(st.sampled_from(JSONS + TENSORS)), draw(st.floats(0, 1))
    what = draw(st.sampled_from(["missing", "cut", "overwritten", "foreign", "folder"]))
    noise = draw(st.binary(min_size=1, max_size=40))

    def damage(folder: Path) -> None:
        path = folder / name
        content = path.read_bytes()
        path.unlink()
        at = int(share * len(content))
        if what == "cut":
            path.write_bytes(content[:at])
        elif what == "overwritten":
            path.write_bytes(content[:at] + noise + content[at + len(noise) :])
        elif what == "foreign":
            path.write_bytes(noise)
        elif what == "folder":
            path.mkdir()

    return damage


def rewrite(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps(change(json.loads(path.read_text()))))

    return damage


@settings(max_examples=80, deadline=None)
@given(damages=st.lists(damaged_json() | damaged_tensors() | damaged_bytes(), min_size=1, max_size=2))
def test_every_failure_to_load_is_one_of_our_errors(
    damages: list[Callable[[Path], None]], whole: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged") / "space"
    shutil.copytree(whole, folder)
    for damage in damages:
        try:
            damage(folder)
        except (FileError, OSError, SafetensorError, ValueError):  # of a file that the first one has left
            break
    try:
        loads_or_names_the_file(folder)
    finally:
        shutil.rmtree(folder.parent)


@pytest.mark.parametrize(
    ("name", "key", "value", "words"),
    [
        ("config.json", "data", [], "data: expected an object"),
        ("config.json", "data", {"label_names": "ab"}, r"data\.label_names: expected a list"),
        ("config.json", "data", {"label_names": [1, 2]}, r"data\.label_names: expected words"),
        ("config.json", "data", {"interpretation": {"intensity": 3}}, "expected intensity, channels"),
        ("config.json", "test", {"kl": "much"}, r"test\.kl: expected a number"),
        ("config.json", "seed", "three", "seed: expected a whole number"),
        ("config.json", "seed", -1, "seed: expected 0 or more"),
        ("config.json", "seed", True, "seed: expected a whole number"),
        ("config.json", "shape", [6, 5], "shape: expected height, width and channels"),
        ("config.json", "shape", [6, 5.0, 1], "shape: expected height, width and channels"),
        ("config.json", "recipe", None, "damaged"),
        ("config.json", "command", 1e400, "a number in it is not finite"),
        ("config.json", "command", "\ud800", "surrogates"),
        ("config.json", "command", 1 << 70, "more than 64 bits"),
        ("preprocessing.json", "height", 7, "as in config.json"),
    ],
)
def test_what_a_json_file_says_wrong_is_named(
    whole: Path, tmp_path: Path, name: str, key: str, value: Any, words: str
) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "space"))
    rewrite(name, lambda content: content | {key: value})(folder)
    with pytest.raises(FileError, match=words) as caught:
        ms.load(folder)
    assert str(folder / name) in str(caught.value)


@pytest.mark.parametrize("name", JSONS)
def test_deep_json_ends_no_program(whole: Path, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "space"))
    for text in (DEEP, '{"a": ' * 100 + "1" + "}" * 100):
        (folder / name).write_text(text)
        with pytest.raises(FileError, match="deeper than 32 levels") as caught:
            ms.load(folder)
        assert str(folder / name) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "key", "value", "words"),
    [
        ("reference", "codes", torch.full((24, 2), torch.nan), "codes: expected finite numbers"),
        ("reference", "codes", torch.zeros(0, 2), "codes: expected shape"),
        ("reference", "codes", torch.zeros(24, 3), "codes: expected shape"),
        ("reference", "errors", torch.full((24,), torch.inf), "errors: expected finite numbers"),
        ("reference", "labels", torch.full((24,), 2), "each of a name in config.json"),
        ("model", "posterior.mean.bias", torch.full((2,), torch.nan), "posterior.mean.bias: expected finite numbers"),
        ("model", "posterior.mean.bias", torch.zeros(2, dtype=torch.int64), "posterior.mean.bias: expected finite"),
        ("concepts", "dark", torch.ones(3), "dark"),
        ("concepts", "dark", torch.tensor([torch.nan, 0]), "dark"),
        ("classes", "covariances", torch.zeros(2, 2, 2), "damaged"),
        ("classes", "means", torch.full((2, 2), torch.nan).double(), "expected finite numbers"),
        ("classes", "means", torch.zeros(2, 2).half(), "expected finite numbers of float32 or float64"),
    ],
)
def test_what_a_tensor_holds_wrong_is_named(
    whole: Path, tmp_path: Path, name: str, key: str, value: torch.Tensor, words: str
) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "space"))
    path = folder / f"{name}.safetensors"
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    save_file(load_file(path) | {key: value}, path, metadata)
    with pytest.raises(FileError, match=words) as caught:
        ms.load(folder)
    assert str(path.with_suffix("")) in str(caught.value)


def test_what_save_accepts_load_accepts(tmp_path: Path) -> None:
    space = tiny()
    space.about = {}
    assert ms.load(space.save(tmp_path / "bare")).about == {}
    for about, words in (({"data": "mnist"}, "about: data: expected an object"), ({"seed": "3"}, "about: seed")):
        space.about = about
        with pytest.raises(DataError, match=words):
            space.save(tmp_path / "odd")
    assert not (tmp_path / "odd").exists()


def test_a_space_goes_where_the_fastest_device_is(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("morphospace.saving.choose_device", {"auto": "meta"}.__getitem__)
    assert ms.load(whole, device="auto").device.type == "meta"


def test_a_space_is_on_the_device_that_was_asked_for(whole: Path) -> None:
    assert str(ms.load(whole, device="auto").device) in ("cpu", "cuda:0", "mps:0")
    assert str(ms.load(whole, device="cpu").to("cpu").device) == "cpu"
    for device in ("gpu", "cuda:99", "", None, 3):
        with pytest.raises(ArgumentError, match=f'^device: "{device}" is not on this machine. .*Known: auto, cpu'):
            ms.load(whole, device=device)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match='Did you mean "auto"'):
        ms.load(whole).to("auot")


def test_a_halved_space_is_the_space_that_its_concepts_know(tmp_path: Path) -> None:
    space = tiny()
    write_shared_concept(tmp_path / "dark.concept", SharedConcept(space.concepts["dark"], space.fingerprint(), "tiny"))
    shared = read_shared_concept(tmp_path / "dark.concept")
    half = ms.load(space.save(tmp_path / "half", half=True))
    again = ms.load(half.save(tmp_path / "again"))
    quarter = ms.load(again.save(tmp_path / "quarter", half=True))
    for one in (space, half, again, quarter):
        assert one.fingerprint() == shared.space
        assert adopt_concept(one, shared, "dark of old")[1] is False
    # Other weights are another space, whatever the file says.
    with torch.no_grad():
        next(half.model.parameters()).add_(1)
    assert half.fingerprint() != shared.space


def test_a_halved_bundle_of_an_older_version_keeps_the_fingerprint_that_it_had(tmp_path: Path) -> None:
    folder = tiny().save(tmp_path / "old", half=True)
    rewrite("config.json", lambda config: {k: v for k, v in config.items() if k != "fingerprints"})(folder)
    old = ms.load(folder)
    state = {name: value.half().float() for name, value in tiny().model.state_dict().items()}
    same = tiny()
    same.model.load_state_dict(state)
    assert old.fingerprint() == same.fingerprint() != tiny().fingerprint()
