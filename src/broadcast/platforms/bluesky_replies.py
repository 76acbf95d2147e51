"""What a post on Bluesky says of the one that it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from broadcast.errors import RefusedError
from broadcast.model import Ref

if TYPE_CHECKING:
    from broadcast.platforms.bluesky_api import Client

FOREIGN = "it answers nothing: what it should answer is not a post of this account"


def reply(client: Client, parent: Ref | None) -> dict[str, Any] | None:
    """That one, and the first of the chain. A post of another account is never answered, whatever the ledger says."""
    if parent is None or not client.owns(parent.id):
        return None
    cid = parent.data.get("cid") or client.record_cid(parent.id.rpartition("/")[2])  # a human need not know it
    if cid is None:
        raise RefusedError(f"the post that it answers is gone: {parent.id}")
    here = {"uri": parent.id, "cid": cid}
    return {"root": _root(client, parent.data.get("root")) or here, "parent": here}


def _root(client: Client, told: object) -> dict[str, Any] | None:
    root = told if isinstance(told, Mapping) else {}
    known = {"uri": root.get("uri"), "cid": root.get("cid")}
    return known if all(known.values()) and client.owns(str(known["uri"])) else None
