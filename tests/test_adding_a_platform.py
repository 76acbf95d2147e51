"""A third party's platform: a package made on the fly, installed, and published with. See docs/adding-a-platform.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from kit import GIT, Desk, incident

MODULE = '''
"""Posts into a file: one JSON line for each post."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from broadcast.model import Limits, Ref
from broadcast.platforms.base import Account, Prepared


class OPTIONS(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    file: str


SECRETS = ("TOKEN",)
EDITS = False


def limits(options):
    return Limits(length=80, measure=len, unit="letters", images=0)


def cost(post):
    return 0.5


def connect(channel, secrets, workspace):
    return Chat(workspace.root / channel.options.file, secrets["TOKEN"])


class Chat:
    def __init__(self, path, token):
        self.path, self.token = path, token

    def verify(self):
        return Account("the file")

    def prepare(self, posts, language, parent):
        return [Prepared() for _ in posts]

    def send(self, intents, parent):
        for intent in intents:
            number = len(self.path.read_text().splitlines()) if self.path.exists() else 0
            line = {"id": str(number), "text": intent.post.text, "to": parent and parent.id}
            with self.path.open("a") as file:
                file.write(json.dumps(line) + "\\n")
            parent = Ref(str(number))
            yield {intent.part: parent}

    def find(self, intents, parent):
        return {}

    def edit(self, ref, intent):
        return ref

    def delete(self, refs):
        yield from ()

    def close(self):
        return None
'''


def install(folder: Path) -> None:
    """What an installer leaves behind: the module, and the metadata with its entry point."""
    folder.mkdir()
    (folder / "team_chat.py").write_text(MODULE, encoding="utf-8")
    metadata = folder / "team_chat-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: team-chat\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text("[broadcast.platforms]\nchat = team_chat\n", encoding="utf-8")


def test_a_package_adds_a_platform_without_touching_this_one(desk: Desk, tmp_path: Path) -> None:
    install(tmp_path / "packages")
    desk.write("broadcast.toml", '[channels.team]\nplatform = "chat"\nfile = "chat.jsonl"\n')
    desk.write("templates/default.chat.md.j2", "{% extends 'default.md.j2' %}{% block link %}{% endblock %}")
    path = desk.write("incidents/slow.md", incident(("Investigating", 30, "Searches are slow for some of you. " * 6)))

    def broadcast(*arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, **GIT, "PYTHONPATH": str(tmp_path / "packages"), "BROADCAST_TEAM_TOKEN": "t"}
        command = [sys.executable, "-m", "broadcast", *arguments]
        return subprocess.run(command, cwd=desk.root, env=environ, capture_output=True, text=True, check=False)

    planned = broadcast("plan", "--json")
    assert planned.returncode == 0, planned.stderr
    plan = json.loads(planned.stdout)
    assert all(row["length"] <= 80 and row["limit"] == 80 for row in plan["actions"])
    assert plan["cost"] == {"team": {"usd": 0.5 * len(plan["actions"])}}

    assert broadcast("publish", "--yes").returncode == 0
    assert broadcast("publish", "--yes").returncode == 0
    sent = [json.loads(line) for line in (desk.root / "chat.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["text"] for line in sent] == [row["text"] for row in plan["actions"]]
    assert [line["to"] for line in sent] == [None, *[line["id"] for line in sent[:-1]]]

    path.write_text(path.read_text(encoding="utf-8") + incident(("Resolved", 5, "Fast again.")).split("---\n", 2)[2])
    assert broadcast("publish", "--yes").returncode == 0
    last = json.loads((desk.root / "chat.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (last["to"], "Fast again." in last["text"]) == (sent[-1]["id"], True)

    # It does not say what its posts say, so none of them is deleted.
    left = broadcast("retract", "slow", "--yes", "--json")
    assert left.returncode == 4, left.stderr
    assert {row["state"] for row in json.loads(left.stdout)["results"]} == {"uncertain"}
    assert "team 0: left alone" in left.stderr

    wrong = dedent("""
        [channels.team]
        platform = "chat"
        fil = "x"
    """)
    desk.write("broadcast.toml", wrong)
    refused = broadcast("check")
    assert refused.returncode == 5
    assert "did you mean 'file'" in refused.stdout
