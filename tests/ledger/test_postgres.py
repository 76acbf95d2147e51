"""A ledger on a real PostgreSQL: addresses, rights and settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import postgres
from broadcast.errors import ConfigError, LedgerError, LedgerMovedError
from broadcast.ledger.open import open_ledger
from broadcast.ledger.postgres import Postgres
from broadcast.model import Receipt, Ref
from ledgers import AT, event, numbers, refused

DOCS = Path(__file__).parents[2] / "docs" / "ledger.md"


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg:",
        "postgresql+psycopg:me:hunter2@host/db",
        "postgresql+psycopg://me:hun@ter2@host/db",
        "postgresql+psycopg:///me:hunter2@host/db",
        "postgresql+psycopg://host:hunter2/db",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"address (cannot be read|is not that of a database)") as caught:
        open_ledger(url, tmp_path)
    for secret in ("hunter2", "hun", "ter2"):
        assert not re.search(rf"\b{secret}\b", caught.value.message + caught.value.hint)
    assert caught.value.__cause__ is None


def test_nothing_is_looked_at_before_it_is_used(tmp_path: Path) -> None:
    ledger = open_ledger("postgresql+psycopg://me:hunter2@127.0.0.1:1/db", tmp_path)
    error = refused(ledger, r"ledger postgresql\+psycopg://me@127.0.0.1:1/db cannot be .*onnection refused")
    assert error.message.endswith("(what is in this machine's journal is kept for the next run)")


def test_a_password_is_in_no_message(cluster: postgres.Cluster, tmp_path: Path) -> None:
    url = cluster.database()
    denied = refused(open_ledger(url.replace(postgres.QUOTED, "hunter2"), tmp_path), "password authentication failed")
    assert "psql must be able to connect" in denied.hint
    refused(open_ledger(cluster.url("nowhere"), tmp_path), 'database "nowhere" does not exist')
    refused(open_ledger(f"{url}?passwords=hunter2", tmp_path), "invalid connection option")
    refused(
        open_ledger(f"{url}?sslrootcert=/nowhere&sslmode=verify-full&sslpassword=hunter2", tmp_path), "not support SSL"
    )


def test_what_the_url_leaves_out_stands_in_the_environment(
    cluster: postgres.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = cluster.database().rpartition("/")[2]
    for variable, value in {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(cluster.port),
        "PGUSER": "admin",
        "PGDATABASE": name,
        "PGPASSWORD": postgres.PASSWORD,
    }.items():
        monkeypatch.setenv(variable, value)
    open_ledger("postgresql+psycopg://", tmp_path).append([event(1)], None)
    assert numbers(open_ledger(cluster.url(name), tmp_path)) == [1]


def test_a_password_file_is_read(cluster: postgres.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = cluster.database().rpartition("/")[2]
    file = tmp_path / "pgpass"
    file.write_text(f"127.0.0.1:{cluster.port}:{name}:admin:{postgres.PASSWORD}\n", encoding="utf-8")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    ledger = open_ledger(f"postgresql+psycopg://admin@127.0.0.1:{cluster.port}/{name}", tmp_path)
    ledger.append([event(1)], None)
    assert numbers(ledger) == [1]


def test_the_journal_is_that_of_the_ledger_whatever_the_password(cluster: postgres.Cluster, tmp_path: Path) -> None:
    url = cluster.database()
    open_ledger(url.replace(postgres.QUOTED, "hunter2"), tmp_path).journal(event(1))
    assert numbers(open_ledger(url, tmp_path)) == [1]
    assert numbers(open_ledger(f"{url}?options=-csearch_path%3Dpg_temp", tmp_path)) == []


def test_two_schemas_are_two_ledgers(cluster: postgres.Cluster, tmp_path: Path) -> None:
    url = cluster.database()
    for schema in ("one", "two"):
        cluster.run(f"CREATE SCHEMA {schema}", url.rpartition("/")[2])
    one, two = (open_ledger(f"{url}?options=-csearch_path%3D{schema}", tmp_path) for schema in ("one", "two"))
    one.append([event(1)], "none")
    two.append([event(2)], "none")
    assert (numbers(one), numbers(two), numbers(open_ledger(url, tmp_path))) == ([1], [2], [])


# --- rights and settings ----------------------------------------------------------------------------------------------


def documented() -> list[str]:
    """The blocks of SQL in the documentation."""
    return re.findall(r"```sql\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


def role(cluster: postgres.Cluster, name: str) -> str:
    with cluster.connect("postgres") as connection:
        connection.execute(f"DROP ROLE IF EXISTS {name}".encode())
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{postgres.PASSWORD}'".encode())
    return name


def test_a_role_that_may_only_write_to_the_tables_of_the_documentation(
    cluster: postgres.Cluster, tmp_path: Path
) -> None:
    database = cluster.database().rpartition("/")[2]
    url = cluster.url(database, role(cluster, "runner"))
    refused_here = open_ledger(url, tmp_path)
    assert refused_here.read().events == {}
    with pytest.raises(LedgerError, match="permission denied for schema public") as caught:
        refused_here.append([event(1)], None)
    assert "docs/ledger.md" in caught.value.hint
    tables, grants = documented()
    cluster.run(tables, database)
    cluster.run(grants, database)
    ledger = open_ledger(url, tmp_path)
    ledger.journal(event(1))
    version = ledger.append([event(2)], ledger.read().version)
    assert ledger.append([event(3)], version) == ledger.read().version
    assert numbers(ledger) == [1, 2, 3]
    with cluster.connect(database) as connection:
        connection.execute(b"SET ROLE runner")
        with pytest.raises(Exception, match="permission denied"):
            connection.execute(b"DELETE FROM broadcast_lines")
        with pytest.raises(Exception, match="permission denied"):
            connection.execute(b"UPDATE broadcast_lines SET line = ''")
    cluster.run("DROP OWNED BY runner", database)


def test_the_documented_tables_are_those_that_are_made(cluster: postgres.Cluster, tmp_path: Path) -> None:
    query = b"""SELECT 'c', table_name, column_name, data_type, character_maximum_length::text, is_nullable
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT 'i', tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT 'k', conrelid::regclass::text, '', pg_get_constraintdef(oid), '', '' FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2, 3, 4"""
    made, written = cluster.database(), cluster.database()
    open_ledger(made, tmp_path).append([event(1)], None)
    cluster.run(documented()[0], written.rpartition("/")[2])
    found = []
    for url in (made, written):
        with cluster.connect(url.rpartition("/")[2]) as connection:
            found.append(connection.execute(query).fetchall())
    assert found[0] == found[1]
    assert len(found[0]) > 10


def test_a_role_that_may_only_read(cluster: postgres.Cluster, tmp_path: Path) -> None:
    url = cluster.database()
    database = url.rpartition("/")[2]
    open_ledger(url, tmp_path).append([event(1)], None)
    reader = role(cluster, "reader")
    cluster.run(f"GRANT SELECT ON broadcast_ledger, broadcast_lines TO {reader}", database)
    ledger = open_ledger(cluster.url(database, reader), tmp_path)
    assert numbers(ledger) == [1]
    with pytest.raises(LedgerError, match=r"permission denied for table broadcast_ledger \(nothing was sent\)"):
        ledger.append([event(2)], ledger.read().version)
    cluster.run(f"DROP OWNED BY {reader}", database)


@pytest.mark.parametrize(
    "setting",
    [
        "default_transaction_isolation = 'serializable'",
        "default_transaction_read_only = on",
        "synchronous_commit = off",
        "client_encoding = 'latin1'",
        "standard_conforming_strings = off",
    ],
)
def test_what_somebody_has_set_for_the_database_changes_nothing(
    cluster: postgres.Cluster, tmp_path: Path, setting: str
) -> None:
    url = cluster.database()
    cluster.run(f"ALTER DATABASE {url.rpartition('/')[2]} SET {setting}")
    ledger = open_ledger(url, tmp_path)
    odd = Receipt("störung", AT, "x", 1, AT, r"back\slash", Ref("👩🏽‍💻"))
    ledger.append([odd], None)
    with pytest.raises(LedgerMovedError):
        open_ledger(url, tmp_path / "other").append([event(1)], "none")
    assert ledger.read().events == {"störung": (odd,)}
    with Postgres(url).writing() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "30s"


def test_a_stronger_synchronous_commit_is_kept(cluster: postgres.Cluster) -> None:
    url = cluster.database()
    cluster.run(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = 'remote_apply'")
    with Postgres(url).writing() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "remote_apply"
