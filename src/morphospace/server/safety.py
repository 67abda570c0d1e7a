"""Who may ask, how much, and what browsers may do with the answers."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import re
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from morphospace.errors import ArgumentError
from morphospace.server.failures import Failure, busy, failure_of, failure_response

__all__ = ["COOKIE", "Gate", "Safety", "check_access", "is_loopback"]

COOKIE = "morphospace-token"

_LOG = logging.getLogger("morphospace.server")
_ENCODE = "/api/v1/encode"
_LARGEST_FILE, _LARGEST_JSON = 32_000_000, 4_000_000  # bytes of a body
_ALL_BODIES = 256_000_000  # bytes of all requests that are being answered
_MOST_REQUESTS = 256
_BODY_SECONDS = 15.0
_SHORTEST_TOKEN = 8

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_SECURE = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``.

    Example:
        >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "my-machine", "")]
        [True, True, True, False, False, False]
    """
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:  # a name: what it means is up to whom it is asked, but for this one
        return host.lower() == "localhost"
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None  # ::ffff:127.0.0.1
    return (inner or address).is_loopback


def check_access(host: str, token: str | None) -> None:
    """Refuse to let in whoever asks from another machine.

    Args:
        host: the address that is to be listened at.
        token: what is to be asked for, or None.

    Raises:
        ArgumentError: for an address that others than this machine can reach without a token, or a token that is soon
            guessed or cannot be sent.

    Example:
        >>> check_access("127.0.0.1", None)
        >>> check_access("0.0.0.0", "open sesame")
    """
    if token is None and not is_loopback(host):
        raise ArgumentError(
            f'others than this machine may reach "{host}", and without a token all of them would be let in. '
            f"Give one, a secret of {_SHORTEST_TOKEN} signs or more (`token`), or listen at 127.0.0.1.",
            argument="host",
        )
    if token is not None and not (token.isascii() and token.isprintable() and len(token.strip()) >= _SHORTEST_TOKEN):
        words = f"expected {_SHORTEST_TOKEN} letters, digits or signs or more, got others. "
        raise ArgumentError(words + "Leave it out: morpho serve makes one up where one is needed.", argument="token")


class Gate:
    """Lets in who may ask.

    Without a token, only pages of this very server on this very machine may: another machine is kept out by its
    address, whatever is listened at; a page of another site that a browser shows by its ``Origin``, and one whose name
    was made to point at this machine by its ``Host``. With a token, whoever has it, from wherever, under whatever name
    the machine is known.

    Args:
        host: the address that is listened at.
        token: what to ask for, or None.

    Raises:
        ArgumentError: see :func:`check_access`.
    """

    def __init__(self, host: str, token: str | None) -> None:
        check_access(host, token)
        self.token = token
        self.hosts = {"127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host.lower()}

    def admit(self, scope: Scope) -> Response | None:
        """Let a request in; returns an answer where there is nothing more to do.

        Raises:
            Failure: "forbidden".
        """
        if self.token is None:
            self._check_peer(scope)
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name, []).append(value)
        hosts = headers.get(b"host", [])
        host = hosts[0].decode("latin-1").lower() if len(hosts) == 1 else ""
        name = re.sub(r":\d{1,5}$", "", host)  # any port: tunnels have one of their own
        if not name or (self.token is None and name not in self.hosts):
            raise _forbidden(f"Host: expected {', '.join(sorted(self.hosts))}, got another. Open the printed address.")
        home = scope["path"] == "/" and scope["method"] == "GET"
        self._check_origin(headers, host, home=home)
        return None if self.token is None else self._check_token(scope, headers, home=home)

    def _check_peer(self, scope: Scope) -> None:
        # create_app cannot know at which address another server listens for it: who has come can be known.
        peer = scope.get("client")
        if not peer or not is_loopback(str(peer[0])):
            raise _forbidden(
                "without a token this server answers only the machine that it runs on, at 127.0.0.1, and this request "
                "came another way. Start it with one: morpho serve --host, or create_app(..., token=...)."
            )

    def _check_origin(self, headers: Mapping[bytes, list[bytes]], host: str, *, home: bool) -> None:
        own = {f"http://{host}", f"https://{host}"}
        if any(origin.decode("latin-1").lower() not in own for origin in headers.get(b"origin", [])):
            raise _forbidden("Origin: expected a page of this server, got another. Open the printed address.")
        sites = set(headers.get(b"sec-fetch-site", []))
        opened = home and headers.get(b"sec-fetch-mode") == [b"navigate"]  # a link to the page from elsewhere
        if sites - {b"same-origin", b"none"} and not opened:
            raise _forbidden("Sec-Fetch-Site: expected a page of this server, got another site.")

    def _check_token(self, scope: Scope, headers: Mapping[bytes, list[bytes]], *, home: bool) -> Response | None:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token") if home else None
        if given and self._is_token(given[0]):
            answer = RedirectResponse("/", 303)
            answer.set_cookie(COOKIE, str(self.token), httponly=True, samesite="strict")
            return answer
        bearer = [value.decode("latin-1") for value in headers.get(b"authorization", [])]
        shown = [value[7:].strip() for value in bearer if value[:7].lower() == "bearer "]
        for value in headers.get(b"cookie", []):
            try:
                cookie = SimpleCookie(value.decode("latin-1")).get(COOKIE)
            except CookieError:
                continue
            shown += [cookie.value] if cookie else []
        if not any(self._is_token(value) for value in shown):
            raise _forbidden("this server asks for a token. Open the address that its terminal shows, with ?token=...")
        return None

    def _is_token(self, value: str) -> bool:
        return hmac.compare_digest(value.encode(), str(self.token).encode())


def _forbidden(message: str) -> Failure:
    return Failure(403, "forbidden", message)


class Safety:
    """The outermost layer: the gate, the size and pace of bodies, and headers on every answer, errors too.

    Args:
        app: what answers.
        gate: who may ask.
        body_seconds: within which a body must be there.
    """

    def __init__(self, app: ASGIApp, *, gate: Gate, body_seconds: float = _BODY_SECONDS) -> None:
        self.app, self.gate, self.body_seconds = app, gate, body_seconds
        self.requests = self.bytes = 0  # of what is being answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI wants it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def secured(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = list(message.get("headers", []))
                if all(name.lower() != b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": [*headers, *_SECURE]}
            await send(message)

        body = _Body(self, receive, _LARGEST_FILE if scope["path"] == _ENCODE else _LARGEST_JSON)
        self.requests += 1
        try:
            response = await self._enter(scope, body)
            await (self.app if response is None else response)(scope, body.again, secured)
        except _GoneError:
            return
        except Exception as error:
            if not isinstance(error, Failure):
                _LOG.exception("internal error at %s %s", scope["method"], scope["path"])
            if not started:
                await failure_response(failure_of(error))(scope, receive, secured)
        finally:
            self.requests -= 1
            self.bytes -= body.size

    async def _enter(self, scope: Scope, body: _Body) -> Response | None:
        response = self.gate.admit(scope)
        if self.requests > _MOST_REQUESTS:
            raise busy(f"{_MOST_REQUESTS} requests are being answered already. Ask again in a second.")
        try:
            async with asyncio.timeout(self.body_seconds):
                await body.read(scope)
        except TimeoutError as error:
            words = f"body: expected all of it within {self.body_seconds:g} seconds, and it did not arrive."
            raise Failure(408, "timeout", words, "body", {"Connection": "close"}) from error
        return response


class _GoneError(Exception):
    """The client has gone before it had said what it wants."""


class _Body:
    """The body of a request, read whole before anything else looks at it, so that bounds hold for all routes."""

    def __init__(self, counter: Safety, receive: Receive, largest: int) -> None:
        self.counter, self.receive, self.largest = counter, receive, largest
        self.size = 0
        self.pieces: list[bytes] = []
        self.given = False

    async def read(self, scope: Scope) -> None:
        """Read it.

        Raises:
            Failure: "too_large", or "busy" where all bodies together are.
        """
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        if any(not value.isdigit() or int(value[:20]) > self.largest for value in lengths):
            raise self._too_large()
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise _GoneError
            piece, more = message.get("body", b""), message.get("more_body", False)
            self.size += len(piece)
            self.counter.bytes += len(piece)
            if self.size > self.largest:
                raise self._too_large()
            if self.counter.bytes > _ALL_BODIES:
                raise busy("the requests that are being answered are too large together. Ask again in a second.")
            self.pieces.append(piece)

    def _too_large(self) -> Failure:
        words = f"body: expected up to {self.largest / 1e6:g} MB, got more. Send a smaller one."
        return Failure(413, "too_large", words, "body", {"Connection": "close"})

    async def again(self) -> Message:
        """It once more, in one piece; then whatever comes next, which is that the client has gone."""
        if self.given:
            return await self.receive()
        self.given = True
        body, self.pieces = b"".join(self.pieces), []
        return {"type": "http.request", "body": body, "more_body": False}
