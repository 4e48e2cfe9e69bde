"""The first minutes with a generated project: what its commands say about a database that is not ready."""

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import clean_environment, free_port, recipe_serving, refused_start
from support import FRAMEWORKS, answers_of

pytestmark = pytest.mark.parametrize("generated", FRAMEWORKS, indirect=True, scope="session")

REACHED = """
import sys
from shop.core.database_url import require_database
require_database(sys.argv[1])
"""


@pytest.fixture
def listening() -> Iterator[int]:
    """The port of a server that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("recipe", ["migrate", "seed", "dev"])
def test_unreachable_database_is_named_in_one_sentence(project: Path, recipe: str) -> None:
    place = f"127.0.0.1:{free_port()}"
    password = "correct horse battery staple"
    url = f"postgresql://shop:swordfish@{place}/shop"
    said = refused_start(project, recipe, DATABASE_URL=url, SEED_PASSWORD=password).splitlines()
    assert f"The database at {place} does not answer: start it, or change DATABASE_URL in .env." in said
    # The command, the sentence, and what just adds.
    assert len(said) == 3, said
    assert "swordfish" not in "".join(said)


def test_dev_says_that_migrations_are_not_applied(project: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{(tmp_path / 'empty.sqlite3').as_posix()}"
    if answers_of(project)["framework"] == "django":
        with recipe_serving(project, "dev", DATABASE_URL=url) as server:
            assert re.search(r"You have \d+ unapplied migration\(s\)", server.log.read_text())
        return
    said = refused_start(project, "dev", DATABASE_URL=url).splitlines()
    assert re.fullmatch(r"Run `just migrate` first: the database lacks \d+ migration\(s\)\.", said[-2])
    assert len(said) == 3, said


def test_one_of_several_hosts_is_enough_and_the_rest_is_left_to_the_driver(project: Path, listening: int) -> None:
    closed = free_port()

    def refused(url: str) -> str:
        python = str(project / ".venv" / "bin" / "python")
        command = [python, "-c", REACHED, url]
        result = subprocess.run(
            command, cwd=project, env=clean_environment(), capture_output=True, text=True, check=False
        )
        assert result.returncode == bool(result.stderr)
        return result.stderr.strip()

    for reached in (
        f"127.0.0.1:{listening}/shop",
        f"user:p%40ss@127.0.0.1:{closed},127.0.0.1:{listening}/shop?target_session_attrs=any",
        "/shop",
        "user@%2Fvar%2Frun%2Fpostgresql/shop",
        f"127.0.0.1:{closed}/shop?host=/var/run/postgresql",
    ):
        assert refused(f"postgresql://{reached}") == "", reached
    assert refused("sqlite:////srv/shop.sqlite3") == ""
    hosts = f"127.0.0.1:{closed},[::1]:{closed}"
    assert f" {hosts} does not answer" in refused(f"postgresql://user:secret@{hosts}/shop")
    assert "nowhere.invalid does not answer" in refused("postgresql://nowhere.invalid/shop")
