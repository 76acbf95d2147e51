"""How much one announcement may be: far more than anybody writes, and little enough that everything stays quick.

What is over a bound is an error with its place, and nothing else is done with that file.
"""

from __future__ import annotations

UPDATES = 1_000
"""Updates of a file."""
TEXT = 120_000
"""Characters of one update, or of what stands before the first."""
IMAGES = 1_000
"""Images and videos of one update."""
LINKS = 10_000
"""Links of one update; bare URLs are not counted."""
NAMES = 100
"""Components, tags and channels of a file: of each as many."""
TRANSLATIONS = 50
"""Languages besides its own that an announcement may have."""
CODES = frozenset({"too-many", "too-long"})
"""The problems of files that are left alone from then on."""
