from __future__ import annotations

from pathlib import Path

import pytest

from broadcast import secrets
from broadcast.errors import CredentialsError


def test_the_variable_has_the_channels_name() -> None:
    assert secrets.variable("my-x", "API_KEY") == "BROADCAST_MY_X_API_KEY"


def test_a_value_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from-a-file\n", encoding="utf-8")
    environ = {"BROADCAST_X_API_KEY": "direct", "BROADCAST_X_API_SECRET_FILE": str(file)}
    assert secrets.find("x", ("API_KEY", "API_SECRET"), environ) == {"API_KEY": "direct", "API_SECRET": "from-a-file"}


def test_every_missing_variable_is_named_and_no_value() -> None:
    with pytest.raises(CredentialsError) as caught:
        secrets.find("x", ("API_KEY", "API_SECRET", "ACCESS_TOKEN"), {"BROADCAST_X_API_KEY": "hunter2"})
    message = str(caught.value)
    assert "BROADCAST_X_API_SECRET" in message
    assert "BROADCAST_X_ACCESS_TOKEN" in message
    assert "hunter2" not in message


def test_a_file_that_cannot_be_read_is_named_by_its_variable(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="BROADCAST_X_API_KEY_FILE cannot be read"):
        secrets.find("x", ("API_KEY",), {"BROADCAST_X_API_KEY_FILE": str(tmp_path / "none")})
