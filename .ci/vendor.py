#!/usr/bin/env python3
"""Copies the files of other projects that the browser runs out of their npm packages.

    .ci/vendor.py lock     fetch the versions named in vendor.json and write their hashes down
    .ci/vendor.py sync     fetch them and copy their files, refusing a package whose hash is another one
    .ci/vendor.py check    compare the files that lie here with the written hashes; needs no network

vendor.json holds versions and hashes and no addresses: where packages come from is npm's own configuration.
To update: change the version in vendor.json, run lock, sync and the tests, and commit all of it.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = [ROOT / "static" / "vendor", ROOT / "tests" / "vendor"]

# A comment that names a map which we do not ship; the static storage would look for it and fail.
SOURCE_MAP = re.compile(rb"\n?//# sourceMappingURL=\S+\s*\Z")


def main() -> int:
    commands = {"lock": lock, "sync": sync, "check": check}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        print(__doc__)
        return 64
    return max(commands[sys.argv[1]](folder) for folder in FOLDERS if (folder / "vendor.json").exists())


def lock(folder: Path) -> int:
    """Trust what the registry gives now: write the hash of each package and of each file we take from it."""
    packages = _read(folder)
    for name, package in packages.items():
        archive = _fetch(name, package["version"])
        package["integrity"] = _integrity(archive)
        package["sha256"] = {
            target: hashlib.sha256(content).hexdigest() for target, content in _taken(package, archive).items()
        }
        print(f"{name} {package['version']}: locked")
    (folder / "vendor.json").write_text(json.dumps(packages, indent=2) + "\n")
    return 0


def sync(folder: Path) -> int:
    """Make the folder hold exactly the files that are written down."""
    for name, package in _read(folder).items():
        archive = _fetch(name, package["version"])
        if _integrity(archive) != package["integrity"]:
            print(f"{name} {package['version']}: the package is not the one that was locked. Nothing of it is copied.")
            return 1
        for target, content in _taken(package, archive).items():
            path = folder / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        print(f"{name} {package['version']}: copied")
    expected = _expected(folder)
    for path in _present(folder):
        if str(path.relative_to(folder)) not in expected:
            path.unlink()
            print(f"{path.relative_to(ROOT)}: removed, no package has it")
    return check(folder)


def check(folder: Path) -> int:
    """Say which files differ from what is written down, are missing or are not written down."""
    expected = _expected(folder)
    present = {str(path.relative_to(folder)): path for path in _present(folder)}
    wrong = [f"{name} is missing" for name in sorted(expected.keys() - present.keys())]
    wrong += [f"{name} is in no package of vendor.json" for name in sorted(present.keys() - expected.keys())]
    wrong += [
        f"{name} was changed"
        for name in sorted(expected.keys() & present.keys())
        if hashlib.sha256(present[name].read_bytes()).hexdigest() != expected[name]
    ]
    for sentence in wrong:
        print(f"{folder.relative_to(ROOT)}: {sentence}. Run .ci/vendor.py sync.")
    return 1 if wrong else 0


def _read(folder: Path) -> dict[str, Any]:
    packages: dict[str, Any] = json.loads((folder / "vendor.json").read_text())
    return packages


def _expected(folder: Path) -> dict[str, str]:
    return {target: digest for package in _read(folder).values() for target, digest in package["sha256"].items()}


def _present(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "vendor.json"]


def _fetch(name: str, version: str) -> bytes:
    """The package as npm serves it."""
    with tempfile.TemporaryDirectory() as folder:
        packing = subprocess.run(
            ["npm", "pack", "--silent", "--ignore-scripts", f"{name}@{version}"],
            cwd=folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        archives = list(Path(folder).glob("*.tgz"))
        if packing.returncode or not archives:
            sys.exit(f"npm could not fetch {name} {version}: {packing.stderr.strip() or 'it gave no package'}")
        return archives[0].read_bytes()


def _integrity(archive: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()


def _taken(package: dict[str, Any], archive: bytes) -> dict[str, bytes]:
    """The files we keep, by the path we keep them at."""
    taken = {}
    with tempfile.TemporaryFile() as file:
        file.write(archive)
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:gz") as tar:
            for source, target in package["files"].items():
                member = tar.extractfile(f"package/{source}")
                if member is None:
                    sys.exit(f"{source} is not a file of its package.")
                content = member.read()
                taken[target] = SOURCE_MAP.sub(b"\n", content) if target.endswith(".js") else content
    return taken


if __name__ == "__main__":
    sys.exit(main())
