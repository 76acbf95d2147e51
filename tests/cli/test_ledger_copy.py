"""`broadcast ledger copy`: a project moves its ledger, and goes on as if nothing had happened."""

from __future__ import annotations

from kit import Desk, incident


def test_after_moving_the_ledger_nothing_is_sent_again(live: Desk) -> None:
    live.write("incidents/slow.md", incident(("Investigating", 30, "We look into it.")))
    assert live.run("publish", "--yes").code == 0
    before = {name: len(live.stands(name)) for name in live.worlds}
    assert all(before.values())
    moved = live.run("ledger", "copy", "git:broadcast/ledger", "sqlite:///state/broadcast.db")
    assert (moved.code, moved.out) == (0, "")
    assert "8 events copied" in moved.err
    again = live.run("ledger", "copy", "git:broadcast/ledger", "sqlite:///state/broadcast.db")
    assert (again.code, again.err.partition(";")[0]) == (0, "0 events copied")
    config = (live.root / "broadcast.toml").read_text(encoding="utf-8")
    told = live.run("ledger", "show").out
    live.write("broadcast.toml", 'ledger = "sqlite:///state/broadcast.db"\n' + config)
    assert live.run("ledger", "show").out == told
    assert live.run("publish", "--yes").code == 0
    assert {name: len(live.stands(name)) for name in live.worlds} == before


def test_a_ledger_that_cannot_be_reached_is_exit_6(desk: Desk) -> None:
    desk.write("broadcast.toml", "")
    url = "postgresql+psycopg://me:hunter2@127.0.0.1:1/status"
    done = desk.run("ledger", "copy", "git:broadcast/ledger", url)
    assert done.code == 6
    assert "postgresql+psycopg://me@127.0.0.1:1/status cannot be read" in done.err
    assert "(nothing was copied)" in done.err
    for command in (["publish", "--yes"], ["ledger", "show"]):
        desk.write("broadcast.toml", f'ledger = "{url}"\n')
        done = desk.run(*command)
        assert done.code == 6
        assert "(nothing was sent)" in done.err
        assert "hunter2" not in done.out + done.err
    assert desk.run("plan").code == 0


def test_an_address_that_names_no_ledger_is_exit_5(desk: Desk) -> None:
    desk.write("broadcast.toml", "")
    done = desk.run("ledger", "copy", "git:broadcast/ledger", "mysql://me:hunter2@host/db")
    assert done.code == 5
    assert "sqlite:///FILE" in done.err
    assert "hunter2" not in done.err
