"""The containers, as far as reading shows: no engine runs here."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpdesk.settings import DOCUMENTED, HELPDESK_QUEUES

CHECKOUT = Path(__file__).resolve().parent.parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("web", "worker", "scheduler", "migrate")
# Of the images and of the S3 client, not of our settings.
FOREIGN = re.compile(r"AWS_|POSTGRES_")
SECRETS = ("HELPDESK_SECRET_KEY", "HELPDESK_ENCRYPTION_KEYS")

DOCKERFILE = re.sub(r"\\\n(\s*#.*\n)*", " ", (CHECKOUT / "Dockerfile").read_text())
INSTRUCTIONS = [line.split(None, 1) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]


def test_every_part_of_the_desk_is_a_service() -> None:
    assert {*OURS, "postgres", "valkey"} == SERVICES.keys()


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"migrate"}))
def test_a_service_is_watched_and_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "retries"} <= service["healthcheck"].keys()


@pytest.mark.parametrize("name", OURS)
def test_our_services_get_settings_that_exist_and_no_written_secret(name: str) -> None:
    environment = SERVICES[name]["environment"]
    unknown = {setting for setting in environment if setting not in DOCUMENTED and not FOREIGN.match(setting)}
    assert unknown == set()
    assert {"DATABASE_URL", "REDIS_URL", "HELPDESK_PUBLIC_URL", *SECRETS} <= environment.keys()
    for secret in SECRETS:
        assert environment[secret].startswith("${" + secret + ":?")
    assert "${POSTGRES_PASSWORD:?" in environment["DATABASE_URL"]


@pytest.mark.parametrize("name", ["web", "worker", "scheduler"])
def test_our_services_start_after_the_tables_are_made(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert SERVICES["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


def test_every_volume_that_is_used_is_declared_and_data_lie_on_one() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == COMPOSE["volumes"].keys() == {"postgres", "valkey", "files"}


def test_the_worker_takes_from_every_queue() -> None:
    command = SERVICES["worker"]["command"]
    assert command[command.index("--queues") + 1].split(",") == HELPDESK_QUEUES


def test_the_worker_has_as_many_slots_as_that_of_the_embedded_desk() -> None:
    """A server that hangs keeps some of them for minutes; see inbox.channels.smtp.turns."""
    from helpdesk.embedded.supervisor import WORKER

    command = SERVICES["worker"]["command"]
    for option in ("--pool", "--concurrency"):
        assert command[command.index(option) + 1] == WORKER[WORKER.index(option) + 1]


def test_the_programs_named_are_there() -> None:
    assert (CHECKOUT / "helpdesk" / "scheduler.py").exists()
    assert (CHECKOUT / "helpdesk" / "alive.py").exists()
    assert "scheduler" in SERVICES["scheduler"]["healthcheck"]["test"]


def test_the_image_is_built_in_two_stages_and_runs_as_no_root() -> None:
    words = [instruction[0] for instruction in INSTRUCTIONS]
    assert words.count("FROM") == 2
    assert words.index("COPY") < len(words)
    users = [rest for word, rest in INSTRUCTIONS if word == "USER"]
    assert users == ["desk"]
    assert words.index("USER") < words.index("CMD")
    assert {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "CMD"} == set(words)


def test_the_image_collects_static_files_and_keeps_no_key() -> None:
    runs = " ".join(rest for word, rest in INSTRUCTIONS if word == "RUN")
    assert "collectstatic" in runs
    assert "--require-hashes" in runs
    assert not any("KEY" in rest for word, rest in INSTRUCTIONS if word in ("ENV", "ARG"))


def test_the_image_serves_as_the_embedded_desk_does() -> None:
    from helpdesk.embedded.supervisor import WEB

    command = json.loads(next(rest for word, rest in INSTRUCTIONS if word == "CMD"))
    assert [part for part in WEB if part not in ("-m", "uvicorn")] == [
        part for part in command[1:] if part not in ("--host", "0.0.0.0", "--port", "8000")
    ]


def test_every_app_is_copied_into_the_image_and_let_through_to_it() -> None:
    apps = {folder.parent.name for folder in CHECKOUT.glob("*/apps.py")}
    copied = {rest.split()[0] for word, rest in INSTRUCTIONS if word == "COPY"}
    let_through = {line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert apps | {"templates", "static"} <= copied
    assert apps | {"templates", "static", "manage.py", "requirements.lock"} <= let_through


def test_the_python_of_the_image_is_one_we_support() -> None:
    wanted = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["requires-python"]
    version = re.match(r"python:3\.(\d+)-slim", INSTRUCTIONS[0][1])
    assert wanted == ">=3.11"
    assert version
    assert int(version[1]) >= 11


def test_the_client_in_the_image_is_as_new_as_the_server() -> None:
    """pg_dump refuses a server that is newer than itself."""
    server = re.search(r"^postgres:(\d+)$", SERVICES["postgres"]["image"])
    client = re.search(r"postgresql-client-(\d+)", (CHECKOUT / "Dockerfile").read_text())
    assert server
    assert client
    assert server[1] == client[1]
