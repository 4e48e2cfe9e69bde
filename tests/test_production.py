"""A generated project in production: the commands of its README, any working directory, clear errors."""

import re
import subprocess
from pathlib import Path

import httpx
import pytest
from servers import PRODUCTION, Server, clean_environment, refused_start, runs, started
from support import answers_of, git

everywhere = pytest.mark.parametrize("generated", ["django", "fastapi", "flask"], indirect=True, scope="session")
django = pytest.mark.parametrize("generated", ["django"], indirect=True, scope="session")
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")

BEHIND_PROXY = {"host": "shop.example.com", "x-forwarded-proto": "https"}


def instructions(project: Path) -> list[str]:
    """Return the commands of the README's production section. The last one starts the server."""
    chapter = (project / "README.md").read_text().partition("\n## In production\n")[2].partition("\n## ")[0]
    block = re.search(r"^```\w*\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL)
    assert block, chapter
    commands = [line.partition("#")[0].strip() for line in block[1].splitlines()]
    return [command for command in commands if command]


@everywhere
def test_production_instructions_work_without_dev_dependencies(project: Path, tmp_path: Path) -> None:
    clone = tmp_path / "shop"
    git(project.parent, "clone", "--quiet", str(project), str(clone))
    variables = {**PRODUCTION, "ALLOW_SQLITE": "true", "DATABASE_URL": "sqlite:///production.sqlite3"}
    *steps, server = instructions(clone)
    for step in steps:
        result = subprocess.run(
            step.split(), cwd=clone, env=clean_environment(**variables), capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, f"{step}\n{result.stdout}{result.stderr}"
    with started(clone, server.split(), **variables) as running:
        assert httpx.get(f"{running.url}/health/ready", timeout=15).status_code == 200
        pages = ["/docs", "/admin/login/"] if answers_of(project)["framework"] == "django" else ["/docs"]
        for path in pages:
            page = httpx.get(f"{running.url}{path}", headers=BEHIND_PROXY, timeout=15, follow_redirects=True)
            assert page.status_code == 200, path
    assert not (clone / ".venv" / "bin" / "just").exists()
    assert not (clone / ".venv" / "bin" / "pytest").exists()
    assert git(clone, "status", "--porcelain") == ""


@everywhere
@on_sqlite
def test_server_does_not_depend_on_the_working_directory(project: Path, database: str, tmp_path: Path) -> None:
    # `just setup` created .env and the database.
    assert database
    command = [str(project / ".venv" / "bin" / "python"), "-m", "shop"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with started(elsewhere, command) as running:
        assert httpx.get(f"{running.url}/health/ready", timeout=15).status_code == 200
        answer = httpx.post(f"{running.url}/api/v1/auth/token", data={"username": "x@example.com", "password": "x"})
        assert answer.status_code == 401, answer.text
    assert list(elsewhere.iterdir()) == []


@django
def test_commands_do_not_depend_on_the_working_directory(project: Path, tmp_path: Path) -> None:
    command = [str(project / ".venv" / "bin" / "python"), str(project / "manage.py"), "showmigrations", "items"]
    shown = subprocess.run(command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=True)
    assert "[X] 0001" in shown.stdout
    assert list(tmp_path.iterdir()) == []


@django
def test_production_without_collected_static_files_is_refused_in_one_sentence(project: Path, tmp_path: Path) -> None:
    clone = tmp_path / "shop"
    git(project.parent, "clone", "--quiet", str(project), str(clone))
    (clone / ".venv").symlink_to(project / ".venv")
    assert "collectstatic" in refused_start(clone, **PRODUCTION, ALLOW_SQLITE="true", **runs(clone))


@everywhere
@on_sqlite
def test_port_in_use_is_rejected_in_one_sentence(project: Path, server: Server) -> None:
    assert "Cannot listen" in refused_start(project, PORT=server.url.rpartition(":")[2])
