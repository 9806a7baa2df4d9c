"""`abac sources check`: what each source gives, with its assurance, or why it fails."""

import pytest
import sqlalchemy as sa

from tests.cli.running import abac, answered
from tests.reading import SHIPPED_SCHEMA
from tests.service.sources.serving import Service, says

SOURCES = """\
sources:
  - name: hr
    kind: yaml
    entity: subject
    file: hr.yaml
    assurance: documented
    owns: [subject.citizenships_current, subject.trust_tier]
  - name: desk
    kind: http
    entity: subject
    assurance: verified
    url: URL/people/{id}
    retries: 0
    owns: [subject.identity_verified]
  - name: models
    kind: table
    entity: resource
    database: {env: ABAC_TEST_MODELS}
    table: models
    assurance: verified
    owns: [resource.cyber_tier]
"""


@pytest.fixture
def service():
    one = Service().up()
    one.answer = says({"identity_verified": True})
    yield one
    one.down()


@pytest.fixture
def document(tmp_path, service, monkeypatch):
    (tmp_path / "hr.yaml").write_text("- {id: ana, citizenships_current: [US, FR]}\n")
    engine = sa.create_engine(f"sqlite:///{tmp_path}/models.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE models (id VARCHAR, cyber_tier INTEGER)")
        connection.exec_driver_sql("INSERT INTO models VALUES ('fable-5', 5)")
    engine.dispose()
    monkeypatch.setenv("ABAC_TEST_MODELS", f"sqlite:///{tmp_path}/models.db")
    path = tmp_path / "sources.yaml"
    path.write_text(SOURCES.replace("URL", service.url))
    return path


def check(document, *options):
    return abac("sources", "check", document, "--schema", SHIPPED_SCHEMA, *options)


def test_it_shows_what_each_source_gives_of_whom_it_is_asked_about(document):
    ran = check(document, "--subject", "ana", "--resource", "fable-5")
    assert ran.exit_code == 0
    assert ran.stdout.splitlines() == [
        "hr (yaml) about subject `ana`: ok",
        "    subject.citizenships_current = {FR, US}  [documented, not complete]",
        "    subject.trust_tier: nothing on file, so unknown",
        "desk (http) about subject `ana`: ok",
        next(line for line in ran.stdout.splitlines() if "identity_verified" in line),
        "models (table) about resource `fable-5`: ok",
        "    resource.cyber_tier = 5  [verified]",
    ]
    assert "    subject.identity_verified = True  [verified, as of 20" in ran.stdout


def test_without_an_id_it_opens_what_can_be_opened(document):
    ran = check(document)
    assert ran.exit_code == 0
    assert ran.stdout.splitlines() == [
        "hr (yaml): ok",
        "desk (http): not asked: name one with --subject",
        "models (table): ok",
    ]


def test_it_says_where_nobody_is_known_by_that_id(document):
    ran = check(document, "--subject", "bo")
    assert ran.exit_code == 0
    assert "hr (yaml) about subject `bo`: has no such subject" in ran.stdout.splitlines()


def test_it_says_why_a_source_fails_and_where(document, service):
    service.down()
    (document.parent / "hr.yaml").write_text(
        "- {id: ana, trust_tier: golden}\n- {id: bo, citizenships_current: [XX]}\n"
    )
    (document.parent / "models.db").unlink()
    ran = check(document, "--subject", "ana")
    assert ran.exit_code == 1
    assert "hr (yaml) about subject `ana`: failed" in ran.stdout
    assert "hr.yaml:1:25: error[source]: `subject.trust_tier`: `golden` is not a value" in ran.stderr
    assert "hr.yaml:2:" in ran.stderr
    assert "source `desk`" in ran.stdout
    assert "[unreachable]" in ran.stdout
    assert "no database file" in ran.stdout


def test_a_machine_gets_the_same(document):
    said = answered("sources", "check", document, "--schema", SHIPPED_SCHEMA, "--subject", "ana")
    hr, desk, models = said["sources"]
    assert hr["gives"]["subject.citizenships_current"] == {
        "value": ["FR", "US"],
        "assurance": "documented",
        "complete": False,
        "as_of": None,
    }
    assert desk["gives"]["subject.identity_verified"]["value"] is True
    assert (models["id"], models["sound"]) == (None, True)


def test_a_bad_document_exits_with_2_and_all_its_places(document):
    document.write_text(
        document.read_text().replace("trust_tier", "trust_teir").replace("kind: http", "kind: soap")
    )
    ran = check(document)
    assert ran.exit_code == 2
    assert f"{document}:9:11: error[document]" in ran.stderr
    document.write_text(document.read_text().replace("kind: soap", "kind: http"))
    ran = check(document)
    assert ran.exit_code == 2
    assert "no attribute `subject.trust_teir`" in ran.stderr
    assert "did you mean `subject.trust_tier`?" in ran.stderr
