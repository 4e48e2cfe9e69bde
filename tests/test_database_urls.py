"""DATABASE_URL of managed PostgreSQL, connection poolers, and migrations of an enum column."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode
from uuid import uuid4

import certifi
import httpx
import psycopg
import pytest
from servers import (
    authorization,
    clean_environment,
    free_port,
    just,
    port_answers,
    postgresql_database,
    refused_start,
    seed,
    serving,
)
from support import answers_of, git, require

pytestmark = [
    pytest.mark.matrix,
    pytest.mark.parametrize("generated", ["django", "fastapi", "flask"], indirect=True, scope="session"),
]
on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True, scope="session")

ITEMS = "/api/v1/items"
INVOICES = "/api/v1/invoices"
INVOICE = {"customer": "Initech", "amount_cents": 12_50, "currency": "EUR"}
# What Neon, RDS, Supabase, Azure and Heroku have in their connection strings.
COMMON = {
    "sslmode": "prefer",
    "channel_binding": "prefer",
    "connect_timeout": "10",
    "application_name": "shop-probe",
    "sslrootcert": certifi.where(),
    "target_session_attrs": "read-write",
}
# Everything else that libpq knows and that has a harmless value on any server.
RARE = {
    "client_encoding": "UTF8",
    "fallback_application_name": "shop",
    "gssdelegation": "0",
    "gssencmode": "disable",
    "hostaddr": "127.0.0.1",
    "keepalives": "1",
    "keepalives_count": "3",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "krbsrvname": "postgres",
    "load_balance_hosts": "disable",
    "passfile": "/nonexistent/pgpass",
    "require_auth": "none",
    "ssl_min_protocol_version": "TLSv1.2",
    "sslcertmode": "allow",
    "sslcompression": "0",
    "sslnegotiation": "postgres",
    "sslsni": "1",
    "tcp_user_timeout": "10000",
}


def ready(project: Path, url: str, **variables: str) -> None:
    """Start the server on `url` and make a request that needs the database."""
    with serving(project, DATABASE_URL=url, **variables) as server:
        answer = httpx.get(f"{server.url}/health/ready", timeout=15)
        assert answer.status_code == 200, answer.text + server.log.read_text()[-2000:]
        headers = authorization(project, server)
        assert httpx.get(f"{server.url}{ITEMS}", headers=headers, timeout=15).status_code == 200


def refusal(project: Path, url: str) -> str:
    """Return the message for a URL with which the server does not start."""
    said = refused_start(project, DATABASE_URL=url)
    assert "- DATABASE_URL: " in said
    return said


@on_postgresql
def test_parameters_of_managed_databases_work(project: Path, database: str) -> None:
    with serving(project, DATABASE_URL=f"{database}?{urlencode(COMMON)}") as server:
        answer = httpx.get(f"{server.url}/health/ready", timeout=15)
        assert answer.status_code == 200, server.log.read_text()[-3000:]
        assert authorization(project, server)
        with psycopg.connect(database) as connection:
            names = connection.execute(
                "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()"
            )
            assert (COMMON["application_name"],) in names.fetchall()


@on_postgresql
def test_other_libpq_parameters_work_or_are_rejected_by_name(project: Path, database: str) -> None:
    left = dict(RARE)
    for _ in range(4):
        try:
            ready(project, f"{database}?{urlencode(left)}")
        except AssertionError:
            said = refusal(project, f"{database}?{urlencode(left)}")
            named = [name for name in left if re.search(rf"\b{name}\b", said)]
            assert named, said
            left = {name: value for name, value in left.items() if name not in named}
        else:
            return
    pytest.fail("parameters are refused one at a time")


@on_postgresql
def test_unknown_parameters_are_rejected_by_name(project: Path, database: str) -> None:
    assert "pgbouncer" in refusal(project, f"{database}?pgbouncer=true&sslmode=prefer")
    assert "schema" in refusal(project, f"{database}?connect_timeout=5&schema=public")


@on_postgresql
def test_next_host_of_a_list_is_tried(project: Path, database: str) -> None:
    ready(project, database.replace("127.0.0.1:5432", f"127.0.0.1:{free_port()},127.0.0.1:5432"))


def test_options_are_combined_with_the_timeouts(project: Path) -> None:
    with postgresql_database("options") as plain, psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA tenant")
        url = f"{plain}?options=-csearch_path%3Dtenant"
        just(project, "migrate", DATABASE_URL=url)
        seed(project, DATABASE_URL=url)
        counted = "SELECT schemaname, count(*) FROM pg_tables WHERE schemaname IN ('public', 'tenant') GROUP BY 1"
        assert [schema for schema, _ in connection.execute(counted)] == ["tenant"]
        (table,) = connection.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'items%'").fetchone() or (
            "",
        )
        with serving(project, DATABASE_URL=url, DATABASE_STATEMENT_TIMEOUT="1") as server:
            headers = authorization(project, server)
            with psycopg.connect(plain) as locking:
                locking.execute(f'LOCK TABLE tenant."{table}" IN ACCESS EXCLUSIVE MODE')
                assert httpx.get(f"{server.url}{ITEMS}", headers=headers, timeout=15).status_code in {500, 503}
            assert httpx.get(f"{server.url}{ITEMS}", headers=headers, timeout=15).status_code == 200


@contextmanager
def pgbouncer() -> Iterator[tuple[int, Path]]:
    """Run pgbouncer in transaction mode with its default settings. Yields its port and socket folder."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    require(program, "pgbouncer is not installed")
    assert program is not None
    port = free_port()
    # pgbouncer refuses to be root, and nobody else may look into pytest's folders.
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as folder:
        Path(folder).chmod(0o777)
        config = Path(folder) / "pgbouncer.ini"
        config.write_text(
            "[databases]\n* = host=127.0.0.1 port=5432 user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {port}\nunix_socket_dir = {folder}\nauth_type = any\npool_mode = transaction\n"
            "default_pool_size = 4\n"
        )
        identity = ["-u", "nobody"] if os.geteuid() == 0 else []
        process = subprocess.Popen([program, "-q", *identity, str(config)], stderr=subprocess.DEVNULL)
        try:
            port_answers(port)
            yield port, Path(folder)
        finally:
            process.kill()
            process.wait()


def test_transaction_pooler_and_socket_work(project: Path) -> None:
    with postgresql_database("pooled") as direct, pgbouncer() as (port, folder):
        url = direct.replace(":5432", f":{port}")
        just(project, "migrate", DATABASE_URL=url, DATABASE_POOLER="true")
        seed(project, DATABASE_URL=url, DATABASE_POOLER="true")
        with serving(project, DATABASE_URL=url, DATABASE_POOLER="true") as server:
            headers = authorization(project, server)
            limits = httpx.Limits(max_connections=12)
            with httpx.Client(base_url=server.url, headers=headers, timeout=30, limits=limits) as client:

                def request(number: int) -> int:
                    if number % 4 == 0:
                        key = {"idempotency-key": uuid4().hex}
                        return client.post(INVOICES, json=INVOICE, headers=key).status_code
                    return client.get((ITEMS, INVOICES, f"{INVOICES}?status=open")[number % 3]).status_code

                with ThreadPoolExecutor(12) as threads:
                    statuses = list(threads.map(request, range(80)))
            assert sorted(statuses) == [200] * 60 + [201] * 20
        ready(
            project,
            f"postgresql://postgres@{quote(str(folder), safe='')}:{port}/{direct.rpartition('/')[2]}",
            DATABASE_POOLER="true",
        )


# How the owner of a project would write it, first as a type alone and then with a type of the database.
SQLALCHEMY_COLUMNS = """
    shade: Mapped[Shade] = mapped_column(server_default="light")
    kind: Mapped[Shade] = mapped_column(sqlalchemy.Enum(Shade, name="item_kind"), server_default="light")
"""
SQLALCHEMY_ENUM = """
import enum

import sqlalchemy


class Shade(enum.Enum):
    light = "l"
    dark = "d"
"""
DJANGO_COLUMNS = """
    class Shade(models.TextChoices):
        LIGHT = "light"
        DARK = "dark"

    shade = models.CharField(max_length=10, choices=Shade, db_default=Shade.LIGHT)
"""


def add_enum_columns(models: Path, *, django: bool) -> None:
    text = models.read_text()
    head, created, tail = re.split(r"(^    created_at.*\n)", text, maxsplit=1, flags=re.MULTILINE)
    if django:
        models.write_text(head + created + DJANGO_COLUMNS + tail)
    else:
        head, class_, body = re.split(r"(^class )", head, maxsplit=1, flags=re.MULTILINE)
        models.write_text(head + SQLALCHEMY_ENUM + "\n\n" + class_ + body + created + SQLALCHEMY_COLUMNS + tail)


def test_enum_column_migrates_up_and_down(project: Path, tmp_path: Path) -> None:
    framework = answers_of(project)["framework"]
    clone = tmp_path / "shop"
    git(project.parent, "clone", "--quiet", str(project), str(clone))
    add_enum_columns(clone / "src/shop/items/models.py", django=framework == "django")
    # The linter would complain about another file and the formatter change it.
    untidy = clone / "src/shop/items/services.py"
    untidy.write_text(f"{untidy.read_text()}\n\n_LONG='{'x' * 200}'\n")
    before = untidy.read_text()
    sqlite = f"sqlite:///{tmp_path}/db.sqlite3"
    just(clone, "make-migration", "shade", DATABASE_URL=sqlite)
    assert untidy.read_text() == before
    down = {
        "django": ["python", "manage.py", "migrate", "items", "0001"],
        "fastapi": ["alembic", "downgrade", "-1"],
        "flask": ["flask", "--app", "shop.wsgi", "db", "downgrade"],
    }[framework]
    with postgresql_database("enum") as postgresql:
        for url in (sqlite, postgresql):
            just(clone, "migrate", DATABASE_URL=url)
            command = ["uv", "run", *down]
            environment = clean_environment(DATABASE_URL=url)
            result = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
            assert result.returncode == 0, result.stderr[-3000:]
            just(clone, "migrate", DATABASE_URL=url)
