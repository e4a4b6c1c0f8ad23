from __future__ import annotations

import pytest
from django.utils import translation

from tests.factories import make_pipeline
from tickets.models import Kind, Pipeline

pytestmark = pytest.mark.django_db


def test_usual_statuses_speak_the_readers_language_until_they_are_renamed():
    status = make_pipeline().first_status(Kind.NEW)
    with translation.override("fi"):
        assert status.label == "Uusi"
    status.name = "Just in"
    with translation.override("fi"):
        assert status.label == "Just in"


def test_a_pipeline_made_in_another_language_has_the_same_four_statuses():
    with translation.override("fi"):
        pipeline = Pipeline.with_usual_statuses("Tuki")
    assert Pipeline.with_usual_statuses("Tuki").statuses.count() == 4
    assert [status.name for status in pipeline.statuses.all()] == [
        "New",
        "Waiting on us",
        "Waiting on contact",
        "Closed",
    ]
