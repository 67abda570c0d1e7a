"""What the core names as Python does, a person reads as it is typed; programs read it as it is."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from morphospace.cli.screen import note
from morphospace.cli.spelling import spell_words
from morphospace.cli.verbs import Answer, verb
from morphospace.errors import ArgumentError, DataError, MorphospaceError


def said(error: MorphospaceError, *notes: str, typed: tuple[str, ...] = ()) -> Any:
    """What a verb called train prints, on both of its streams, that meets ``error`` after some notes."""
    app = typer.Typer()

    def train(
        space: Annotated[str, typer.Argument(metavar="SPACE")] = "",
        images: Annotated[str, typer.Argument(metavar="[IMAGE...]")] = "",
        start: Annotated[str, typer.Option("--from", metavar="RUN")] = "",
        latent_dim: Annotated[int, typer.Option("--latent-dim")] = 2,
        n: Annotated[int, typer.Option("-n")] = 1,
        frames: Annotated[str, typer.Option("--frames")] = "first",
        compiled: Annotated[bool, typer.Option("--compile/--no-compile")] = False,
    ) -> Answer:
        """A verb."""
        for words in notes:
            note(words)
        raise error

    app.command("train")(verb(train))
    app.callback()(lambda: None)
    return CliRunner().invoke(app, ["train", *typed], env={"COLUMNS": "300", "TERM": "dumb"})


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        ("latent_dim", "--latent-dim: no."),  # an option of the verb, and a recipe's key, too
        ("n", "-n: no."),
        ("compiled", "--compile: no."),
        ("space", "SPACE: no."),  # an argument
        ("images", "IMAGE: no."),
        ("image", "IMAGE: no."),  # one of them
        ("start", "--from: no."),
        ("from", "--from: no."),
        ("run", "--from: no."),  # which --from names
        ("beta", "--set beta: no."),  # a recipe's key
        ("codes", "codes: no."),  # nothing that is typed
        ("name", "name: no."),  # of a recipe, but no key to set
        (None, "no."),
    ],
)
def test_the_argument_at_fault_is_named_as_it_is_typed(argument: str | None, shown: str) -> None:
    ran = said(ArgumentError("no.", argument=argument))
    assert (ran.exit_code, ran.stderr) == (2, f"error: {shown}\n")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ('`frames="all"` makes a picture of each', "--frames all makes a picture of each"),
        ("`frames` changes that", "--frames changes that"),
        ("a smaller `latent_dim`, `latent_dim=2`", "a smaller --latent-dim, --latent-dim 2"),
        ("`compiled=True`", "--compile"),
        ("lower beta (`beta=0.3`)", "lower beta (--set beta=0.3)"),
        ("`encoder_widths=(64, 64)`", "--set encoder_widths=64,64"),
        ("`codes=3`", "codes=3"),
        ("`frames='two words'`", "--frames 'two words'"),
        ("no `Name` nor `` nor a lone `", "no `Name` nor `` nor a lone `"),
    ],
)
def test_arguments_that_words_speak_of_are_spelled_too(words: str, shown: str) -> None:
    ran = said(DataError(words), words)
    assert ran.stderr == f"note: {shown}\nerror: {shown}\n"
    assert ran.exit_code == 1


def test_programs_read_the_same_words() -> None:
    ran = said(ArgumentError("no, `frames`.", argument="latent_dim"), typed=("--json",))
    assert json.loads(ran.stdout) == {"error": "--latent-dim: no, --frames.", "exit_code": 2}


def test_outside_of_a_verb_there_is_nothing_to_type() -> None:
    said(ArgumentError("no."))
    assert spell_words("`frames` changes that") == "frames changes that"
