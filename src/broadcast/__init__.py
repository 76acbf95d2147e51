"""Status updates as code: Markdown in git becomes posts that fit, exactly once."""

__version__ = "0.1.0"
