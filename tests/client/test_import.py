"""Importing the client is light; what is heavy loads with what needs it."""

import subprocess
import sys

import pytest


def ran(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_the_client_is_light():
    heavy = "{'httpx', 'starlette', 'fastapi', 'sqlalchemy', 'yaml', 'polars', 'casbin', 'jsonschema'}"
    assert ran(f"import sys, abac.client; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_the_client_is_found_from_abac_itself():
    assert ran("import abac; print(abac.client.Subject('user', 'ana').id)") == "ana"


def test_every_name_that_is_exported_is_there():
    from abac import client

    for name in client.__all__:
        assert getattr(client, name) is not None
    with pytest.raises(AttributeError, match="no attribute `Clint`"):
        _ = client.Clint
