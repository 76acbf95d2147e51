"""What ids look like in the AT Protocol (atproto.com/specs), and CIDs as a repository has them."""

from __future__ import annotations

from broadcast.platforms.forms import Forms

DID = r"did:[a-z]+:[A-Za-z0-9._:%-]{1,256}"
HANDLE = r"([a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63}"
TID = r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}"
URI = rf"at://{DID}/app\.bsky\.feed\.post/(?!\.{{1,2}}\Z)[A-Za-z0-9._:~-]{{1,128}}"
"""Of a post. Other clients may choose other keys than TIDs."""
CID = r"b[a-z2-7]{58}"
CREATED = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
"""When a record was made, as it is written here."""

FORMS = Forms(URI, {"rkey": TID, "cid": CID, "root.uri": URI, "root.cid": CID}, ("bsky.app",))
