"""Requests per second of the generated projects and of comparable ones: medians, ratios, PASS or FAIL.

Every application has one worker, PostgreSQL and its own authentication, and returns one row by its key. The others
are set up beforehand and described in a TOML file; the README says how.
"""

import os
import sys
import tempfile
import tomllib
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from serving import Target, generated, get, measure, options, own_environment, ratio, request_message, serving

LISTED = "/api/v1/invoices?limit=1"
OURS: dict[str, dict[str, Any]] = {
    "fastapi": {"framework": "fastapi"},
    "drf": {"framework": "django", "api": "drf"},
    "ninja": {"framework": "django", "api": "ninja"},
    "flask": {"framework": "flask"},
}
AT_LEAST = {"fastapi": 1.4, "drf": 1.0, "ninja": 1.2, "flask": 2.0}


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Another application: how to start it, and what to request; `against` names the projects to compare with."""

    folder: Path
    command: list[str]
    path: str
    expect: str
    credentials: dict[str, str]
    against: list[str]
    headers: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


def read_peers(path: Path) -> dict[str, Peer]:
    """Read the description of the peers.

    Raises:
        SystemExit: the file is not as the README describes it.

    """
    try:
        read = tomllib.loads(path.read_text())
        peers = {
            name: Peer(**{**values, "folder": path.parent.absolute() / values["folder"]})
            for name, values in read.items()
        }
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SystemExit(f"{path}: {error}") from error
    for name, peer in peers.items():
        if unknown := set(peer.against) - set(OURS):
            raise SystemExit(f"{path}: {name} has `against` = {sorted(unknown)}; known are {list(OURS)}.")
    return peers


def peer_message(name: str, peer: Peer, port: int) -> bytes:
    """Return the request for a peer's row, after checking that it needs the credentials and returns the row.

    Raises:
        SystemExit: it answers something else.

    """
    headers = {"Host": f"127.0.0.1:{port}", **peer.headers}
    anonymous = get(port, peer.path, headers).status_code
    if anonymous not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise SystemExit(f"{name} answers {anonymous} without credentials, so this would not measure authentication.")
    headers |= peer.credentials
    response = get(port, peer.path, headers)
    if response.status_code != HTTPStatus.OK or peer.expect not in response.text:
        raise SystemExit(f"{name} answers {response.status_code} without {peer.expect!r}: {response.text[:500]}")
    return request_message(peer.path, headers)


def main() -> int:
    parser = options(__doc__, rounds=10, seconds=3.0)
    parser.add_argument("peers", type=Path, help="the TOML file that describes the other applications")
    arguments = parser.parse_args()
    peers = read_peers(arguments.peers)
    os.environ["WEB_CONCURRENCY"] = "1"
    targets: dict[str, Target] = {}
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name, answers in OURS.items():
            if any(name in peer.against for peer in peers.values()):
                project = stack.enter_context(generated({}, **answers))
                port = project.serve(product=("just", "serve"))["product"]
                project.sign_in(port)
                (listed,) = project.get(port, LISTED).json()["items"]
                path = f"/api/v1/invoices/{listed['id']}"
                if project.get(port, path).json() != listed:
                    raise SystemExit(f"{name} answers with another invoice.")
                targets[name] = Target(port, project.message(path), arguments.connections)
        for name, peer in peers.items():
            environment = {**own_environment(), **peer.environment}
            server = serving(*peer.command, folder=peer.folder, environment=environment, logs=logs)
            port = stack.enter_context(server)
            targets[name] = Target(port, peer_message(name, peer, port), arguments.connections)
        rates = measure(targets, rounds=arguments.rounds, seconds=arguments.seconds)
    results = [
        ratio(rates, ours, name, at_least=AT_LEAST[ours]) for name, peer in peers.items() for ours in peer.against
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
