"""No secret in a server's log, however it is sent: a real process, its real log, at the loudest level."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from abac.rest.authzen.examples import EXAMPLES
from tests.rest.processes import EVALUATION, Served, serving

ASKED = EXAMPLES["evaluation"]["permitted"].asked
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"  # noqa: S105  # nobody's


def key(served: Served) -> str:
    """Return the first key, from the curl that is printed once."""
    (found,) = re.findall(r"abac_[0-9a-f]+_[0-9a-f]+", served.curl)
    return str(found)


def send(served: Served, secret: str) -> list[httpx.Response]:
    """Send a secret in every place where a client might put it, by design or by mistake."""
    bearer = {"authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=served.url, timeout=30) as client:
        return [
            client.post(EVALUATION, json=ASKED, headers=bearer),
            client.post(EVALUATION, json=ASKED, headers={"authorization": secret}),
            client.post(EVALUATION, json=ASKED, headers={"authorization": f"Basic {secret}"}),
            client.post(EVALUATION, json=ASKED, headers=bearer | {"x-request-id": "r-1"}),
            client.post(EVALUATION, json={"subject": secret}, headers=bearer),
            client.post(EVALUATION, content=f'{{"{secret}": 1, "{secret}": 2}}', headers=bearer),
            client.post(EVALUATION, content=secret, headers=bearer | {"content-type": "application/json"}),
            client.post(f"{EVALUATION}?key={secret}", json=ASKED),
            client.get(f"/{secret}", headers=bearer),
            client.get("/healthz", headers={"cookie": secret}),
            client.get("/metrics", headers=bearer),
        ]


def test_no_secret_is_in_the_log_or_told_to_who_should_not_have_it(tmp_path: Path):
    with serving(tmp_path, environment={"ABAC_LOG_LEVEL": "debug"}) as served:
        good = key(served)
        wrong = good[:-4] + ("0000" if good[-4:] != "0000" else "1111")
        for secret in (good, wrong, TOKEN):
            answers = send(served, secret)
            assert answers[0].status_code == (200 if secret == good else 401)
            assert all(answer.status_code < 500 for answer in answers)
        metrics = httpx.get(f"{served.url}/metrics", timeout=30).text
    log = served.told()
    kept = (tmp_path / "abac-keys.yaml").read_text()
    for secret in (good, wrong, TOKEN):
        tail = secret.rsplit("_", 1)[-1]
        assert not any(tail in text for text in (log, metrics, kept))
