"""Raise the `~=` pins of generated projects to the newest releases.

uv asks the package index, so its settings count: UV_INDEX for another index, UV_EXCLUDE_NEWER to wait some days. A
requirement with a choice of pins, such as two series of Django, keeps each within its series.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("includes", "parts", "templates")
# A requirement in quotes, with one pin or a choice of pins.
REQUIREMENT = re.compile(r'"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]"\n]*\])?(?P<pins>[^"\n]*~=[^"\n]*)"')
PIN = re.compile(r"~=([0-9]+(?:\.[0-9]+)+)")


class Pin(NamedTuple):
    """A `~=` pin in a file; `series` if it must not leave its series."""

    file: Path
    start: int
    name: str
    version: str
    series: bool

    @property
    def wanted(self) -> str:
        """The requirement whose newest release is the new pin."""
        return f"{self.name}~={self.version}" if self.series else self.name

    def raised(self, newest: str) -> str:
        """Return the newest version in as many numbers as the pin has; the pin itself if that is not newer."""
        numbers = len(self.version.split("."))
        release = [*Version(newest).release, *[0] * numbers][:numbers]
        version = ".".join(map(str, release))
        return max(self.version, version, key=Version)


def pins(root: Path) -> Iterator[Pin]:
    """Yield every pin of the generated projects' dependencies."""
    files = [file for folder in FOLDERS for file in (root / folder).rglob("*.toml*") if file.is_file()]
    for file in sorted(files):
        for requirement in REQUIREMENT.finditer(file.read_text(encoding="utf-8")):
            found = list(PIN.finditer(requirement["pins"]))
            for pin in found:
                start = requirement.start("pins") + pin.start(1)
                yield Pin(file, start, requirement["name"], pin[1], series=len(found) > 1)


def pythons(root: Path) -> list[str]:
    """Return the Python versions that a project can have, oldest first."""
    for file in sorted((root / "questions").glob("*.yml")):
        question = yaml.safe_load(file.read_text(encoding="utf-8")).get("python_version")
        if question:
            return [str(choice) for choice in question["choices"]]
    raise LookupError("no question is called python_version")


def newest(requirements: Iterable[str], python: str) -> dict[str, str]:
    """Return the newest release of each requirement that runs on `python`. Raise CalledProcessError if one has none."""
    options = ["--no-deps", "--no-header", "--no-annotate", "--quiet", "--no-python-downloads"]
    result = subprocess.run(
        ["uv", "pip", "compile", *options, "--python-version", python, "-"],
        input="\n".join(sorted(set(requirements))),
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return dict(line.split("==") for line in result.stdout.splitlines())


def newest_of_series(requirement: str, versions: Sequence[str]) -> dict[str, str]:
    """Return the newest release of a series on the oldest Python that it supports."""
    for python in versions[:-1]:
        try:
            return newest([requirement], python)
        except subprocess.CalledProcessError:
            continue
    return newest([requirement], versions[-1])


def bumps(root: Path) -> list[tuple[Pin, str]]:
    """Return the pins that are not the newest, with the new version."""
    found = list(pins(root))
    versions = pythons(root)
    releases = newest({pin.wanted for pin in found if not pin.series}, versions[0])
    new = []
    for pin in found:
        known = newest_of_series(pin.wanted, versions) if pin.series else releases
        version = pin.raised(known[normalized(pin.name)])
        if version != pin.version:
            new.append((pin, version))
    return new


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def write(changes: Iterable[tuple[Pin, str]]) -> None:
    """Write the new versions, the last of a file first."""
    for pin, version in sorted(changes, key=lambda change: change[0].start, reverse=True):
        text = pin.file.read_bytes().decode()
        end = pin.start + len(pin.version)
        pin.file.write_bytes((text[: pin.start] + version + text[end:]).encode())


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="change the files instead of only listing")
    options = parser.parse_args(arguments)
    try:
        changes = bumps(root)
    except subprocess.CalledProcessError as error:
        print(f"the package index does not have every requirement:\n{error.stderr}", file=sys.stderr)
        return 1
    for pin, version in changes:
        print(f"{pin.file.relative_to(root).as_posix()}: {pin.name} {pin.version} -> {version}")
    if options.write:
        write(changes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
