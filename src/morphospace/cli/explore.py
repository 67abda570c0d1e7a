"""``morpho explore`` and ``serve``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from morphospace.cli.arguments import DeviceOption, SpaceArgument
from morphospace.cli.opening import open_space, space_folder
from morphospace.cli.screen import escape, screen
from morphospace.cli.verbs import Answer, verb
from morphospace.errors import FileError

if TYPE_CHECKING:
    from morphospace.server import Session

__all__ = ["register"]

_LOOK = "Look"
_HERE = "127.0.0.1"

PortOption = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes one that is free.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("explore", rich_help_panel=_LOOK)(verb(explore))
    app.command("serve", rich_help_panel=_LOOK)(verb(serve))


def explore(
    space: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(
            metavar="[SPACE]",
            help="A run folder, a bundle folder, [bold]latest[/], or [bold]builtin[/]. The newest run by default, and "
            "the built-in space where there is none.",
        ),
    ] = None,
    port: PortOption = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    device: DeviceOption = "auto",
) -> Answer:
    """Explore a space on a page in the browser: its map, its images, its concepts."""
    return _answer(space, host=_HERE, port=port, token=None, device=device, browser=not no_browser)


def serve(
    space: SpaceArgument,
    host: Annotated[str, typer.Option("--host", help="The address to listen at; 0.0.0.0 for all of them.")] = _HERE,
    port: PortOption = 0,
    token: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--token", help="What to ask visitors for; made up where others than this machine can come."),
    ] = None,
    device: DeviceOption = "auto",
) -> Answer:
    """Serve a space: the explorer's page, and its API for programs, to this machine or to others."""
    import secrets

    from morphospace.server.safety import check_access, is_loopback

    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    check_access(host, token)  # before a space is loaded
    return _answer(space, host=host, port=port, token=token, device=device, browser=False)


def _answer(name: str | None, *, host: str, port: int, token: str | None, device: str, browser: bool) -> Answer:
    from morphospace.server import serve as run

    session, what = _session(name, device)
    found = []

    def announce(address: str) -> None:
        found.append(address)
        screen().print(f"[bold]{escape(what)}[/] at [bold]{escape(address)}[/]", soft_wrap=True)
        screen().print("[dim]stop with Ctrl-C[/]")

    run(session, host=host, port=port, token=token, browser=browser, announce=announce)
    return Answer({"space": what, "address": found[0] if found else None}, "\nstopped. Nothing runs any more.")


def _session(name: str | None, device: str) -> tuple[Session, str]:
    """The session of the space that SPACE names, and what to call it."""
    from morphospace.builtin import BUILTIN, builtin_folder
    from morphospace.server import Session
    from morphospace.training.runs import latest_run

    if name is None:
        try:
            name = str(latest_run())
        except FileError:
            name = BUILTIN
    folder = space_folder(name)
    own = folder != builtin_folder()
    return Session(open_space(str(folder), device), folder, writable=None if own else False), (
        name if own else "the built-in space"
    )
