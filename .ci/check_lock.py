"""Checks, without a network, that the two lock files belong to pyproject.toml and to each other."""

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parent.parent


class Lock:
    """Versions, who asked for each, and those without a hash, of a lock file as `uv export` writes it."""

    def __init__(self, path: Path) -> None:
        self.name = str(path.relative_to(CHECKOUT))
        self.text = path.read_text()
        self.versions: dict[str, str] = {}
        self.wanted_by: dict[str, set[str]] = {}
        self.without_hash: set[str] = set()
        package = ""
        for line in self.text.splitlines():
            if found := re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", line):
                package = canonicalize_name(found[1])
                self.versions[package] = found[2]
                self.without_hash.add(package)
            elif "--hash=sha256:" in line:
                self.without_hash.discard(package)
            elif found := re.match(r"    #(?: via|  ) +(\S+)", line):
                self.wanted_by.setdefault(package, set()).add(found[1])

    def asked_for_by_us(self) -> set[str]:
        return {package for package, names in self.wanted_by.items() if any(n.startswith("helpdesk") for n in names)}


def problems() -> list[str]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    ours = [Requirement(line) for line in project["project"]["dependencies"]]
    groups = [Requirement(line) for group in project.get("dependency-groups", {}).values() for line in group]
    run, dev = Lock(CHECKOUT / "requirements.lock"), Lock(CHECKOUT / ".ci" / "requirements-dev.lock")
    found = []
    for lock, wanted in ((run, ours), (dev, ours + groups)):
        names = {canonicalize_name(requirement.name) for requirement in wanted}
        for requirement in wanted:
            version = lock.versions.get(canonicalize_name(requirement.name))
            if version is None:
                found.append(f"{lock.name} lacks {requirement.name}")
            elif not requirement.specifier.contains(version, prereleases=True):
                found.append(f"{lock.name} has {requirement.name} {version}, pyproject.toml wants {requirement}")
        found += [
            f"{lock.name} has {name}, which pyproject.toml does not ask for"
            for name in sorted(lock.asked_for_by_us() - names)
        ]
        found += [f"{lock.name} has no hash for {name}" for name in sorted(lock.without_hash)]
        if "://" in lock.text or "--index" in lock.text:
            found.append(f"{lock.name} holds an address")
    found += [
        f"{name} is {version} in {run.name} and {dev.versions.get(name)} in {dev.name}"
        for name, version in run.versions.items()
        if dev.versions.get(name) != version
    ]
    return found


if __name__ == "__main__":
    trouble = problems()
    if trouble:
        sys.exit("\n".join([*trouble, "Run `make lock` and commit both lock files."]))
