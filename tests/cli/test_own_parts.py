"""Parts of a package of one's own on the command line: allowed by its name, and otherwise never imported."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

OWN = Path(__file__).parents[1] / "own.py"
QUICK = ("--set", "decoder_widths=8", "--set", "batch=512", "--epochs", "1", "--precision", "fp32")
SIDE_EFFECT = "from pathlib import Path\nPath(__file__).with_suffix('.ran').touch()\n"


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    """A file beside the person that is there, and one that does something when it is imported."""
    shutil.copy(OWN, tmp_path / "ownparts.py")
    (tmp_path / "trap.py").write_text(OWN.read_text(encoding="utf-8") + SIDE_EFFECT, encoding="utf-8")
    (tmp_path / "broken.py").write_text("def (", encoding="utf-8")
    yield tmp_path
    for name in ("ownparts", "trap", "broken"):
        sys.modules.pop(name, None)


def test_a_class_of_ones_own_is_trained_sampled_and_gone_on_from(package: Path, morpho: Callable[..., Any]) -> None:
    own = ("--set", "encoder=ownparts:Small", "--set", "prior=ownparts:WidePrior", "--set", "prior.spread=3")
    refused = morpho("train", "digits", *own, *QUICK)
    assert refused.code == 2
    assert (
        '--set encoder: "ownparts:Small" is a part of another package, and is never imported by itself' in refused.err
    )
    assert not (package / "runs").exists()
    ran = morpho("train", "digits", *own, *QUICK, "--allow", "ownparts", "--json")
    assert ran.code == 0, ran.err
    parts = json.loads((Path(ran.json["run"]) / "space" / "config.json").read_text())["recipe"]["model"]
    assert parts["encoder"] == {"kind": "ownparts:Small"}
    assert parts["prior"] == {"kind": "ownparts:WidePrior", "spread": 3.0}
    sys.modules.pop("ownparts")
    for verb in (("sample", "latest", "-n", "4"), ("info", "latest")):
        refused = morpho(*verb)
        assert refused.code == 1
        assert 'names what is not there: "ownparts:Small"' in refused.err or '"ownparts:WidePrior"' in refused.err
        assert "--allow ownparts" in refused.err
        assert "ownparts" not in sys.modules
    assert morpho("sample", "latest", "--allow", "ownparts", "--out", "s.png").code == 0
    on = morpho("train", "digits", "--from", "latest", "--epochs", "1", "--allow", "ownparts")
    assert on.code == 0, on.err
    more = morpho("resume", "latest", "--more-epochs", "1", "--allow", "ownparts")
    assert more.code == 0, more.err


def test_nothing_that_a_bundle_names_is_imported_by_itself(package: Path, morpho: Callable[..., Any]) -> None:
    shutil.copytree(Path(sys.modules["morphospace"].__file__ or "").parent / "spaces" / "mnist", package / "space")
    config = package / "space" / "config.json"
    for module in ("trap", "allowed.trap"):
        known = json.loads(config.read_text())
        known["recipe"] = {
            "format": 2, "name": "x", "summary": "", "stages": [{"kind": "stage"}],
            "model": {"kind": "vae", "encoder": {"kind": f"{module}:Small"}},
        }  # fmt: skip
        config.write_text(json.dumps(known))
        for allow in ((), ("--allow", "ownparts"), ("--allow", "allow"), ("--allow", "tra")):
            ran = morpho("info", "space", *allow)
            assert ran.code == 1
            assert "is never imported by itself" in ran.err
            assert not (package / "trap.ran").exists()
    known["recipe"]["model"]["encoder"]["kind"] = "trap:Small"
    config.write_text(json.dumps(known))
    assert "config and weights do not fit" in morpho("info", "space", "--allow", "trap").err
    assert (package / "trap.ran").exists(), "the trap works"


@pytest.mark.parametrize(
    ("key", "allow", "words"),
    [
        ("encoder=nowhere:Net", "nowhere", '--allow: cannot import "nowhere:Net": ModuleNotFoundError'),
        ("encoder=ownparts:Nothing", "ownparts", '--allow: cannot import "ownparts:Nothing": AttributeError'),
        ("encoder=broken:Net", "broken", '--allow: cannot import "broken:Net": SyntaxError'),
        ("encoder=ownparts:Sized", "ownparts", "--set encoder: Sized cannot be made without arguments"),
        (
            "encoder=ownparts:Raises",
            "ownparts",
            "--set encoder: Raises cannot be made without arguments (RuntimeError: no licence found)",
        ),
        ("encoder=ownparts:WidePrior", "ownparts", '--set encoder: "ownparts:WidePrior" is a part for prior.'),
        ("posterior=ownparts:Small", "ownparts", "--set posterior: expected a Posterior, got the class Small."),
        (
            "encoder=ownparts:torch.manual_seed",
            "ownparts",
            '--allow: "ownparts:torch.manual_seed" is no class of the packages that are allowed.',
        ),
        (
            "encoder=ownparts:nn.Identity",
            "ownparts",
            '--allow: "ownparts:nn.Identity" is no class of the packages that are allowed.',
        ),
        (
            "encoder=ownparts:Small",
            "ownparts.py/x",
            '--allow: expected the name of a package, as Python imports it, like mypackage, got "ownparts.py/x".',
        ),
        ("encoder=ownparts:Small", "./ownparts", "--allow: expected the name of a package"),
        ("encoder=ownparts:Small", "ownparts:Small", "--allow: expected the name of a package"),
        ("encoder=ownparts:Small", "other", '--set encoder: "ownparts:Small" is a part of another package'),
        ("prior.spread=1", "ownparts", 'recipe "quick" has no key "prior.spread"'),
    ],
)
@pytest.mark.usefixtures("package")
def test_what_cannot_be_found_or_made_is_said_in_one_line(
    key: str, allow: str, words: str, morpho: Callable[..., Any]
) -> None:
    ran = morpho("train", "digits", "--set", key, "--allow", allow)
    assert ran.code == 2, ran.err
    assert words in " ".join(ran.err.split())
    assert "Traceback" not in ran.err
    assert "internal error" not in ran.err
