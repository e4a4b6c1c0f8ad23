"""What the demo's desk is besides people and mail: properties, a pipeline that asks for one, snippets, a ticket by hand."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from inbox.creating import create
from library.models import Snippet
from people.models import Contact, User
from tickets.models import Kind, Pipeline, Property

WORDS = Path(__file__).resolve().parent / "desk.toml"


def furnish() -> None:
    words = tomllib.loads(WORDS.read_text())
    for position, each in enumerate(words["property"]):
        Property.objects.create(position=position, **each)
    for position, each in enumerate(words["pipeline"], 1):
        pipeline = Pipeline.with_usual_statuses(each["name"])
        pipeline.position = position
        pipeline.save(update_fields=["position"])
        closed = pipeline.first_status(Kind.CLOSED)
        closed.required = each["closed_requires"]
        closed.save(update_fields=["required"])
    for each in words["snippet"]:
        Snippet.objects.create(**each)


def make_by_hand(users: Mapping[str, User], now: datetime) -> int:
    """Says how many tickets."""
    made = tomllib.loads(WORDS.read_text())["by_hand"]
    for each in made:
        pipeline = Pipeline.objects.get(name=each["pipeline"])
        values: dict[str, Any] = {
            "name": each["name"],
            "pipeline": pipeline,
            "status": pipeline.first_status(Kind.NEW),
            "owner": users[each["by"]],
            "contact": [Contact.objects.for_address(each["address"], each["contact"])],
            "description": each["description"],
            **each["properties"],
        }
        create(values, by=users[each["by"]], now=now - timedelta(hours=each["hours_ago"]))
    return len(made)
