"""`docs/rest.md`: what it names is there."""

from __future__ import annotations

import re

import yaml

from abac.rest.authzen.answering import USER
from abac.rest.settings import ServeSettings, load
from tests.rest.running import HERE, Running

TEXT = (HERE.parents[1] / "docs" / "rest.md").read_text()


def test_the_settings_it_shows_are_settings(tmp_path):
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    file = tmp_path / "abac.yaml"
    file.write_text(block)
    found = load(file)
    assert found.notice.contest.startswith("Write to ")
    assert set(yaml.safe_load(block)) <= set(ServeSettings.model_fields)


def test_it_names_every_code_for_the_user():
    named = set(re.findall(r"`([a-z-]+)`", TEXT))
    assert set(USER) <= named


def test_it_names_every_route(shipped: Running):
    for path in (*shipped.app.plain, "/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert path.removeprefix("/access/v1/search") in TEXT
