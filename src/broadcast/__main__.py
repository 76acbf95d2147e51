"""The program `broadcast`. Imports nothing that takes long before signals are handled."""

from __future__ import annotations

import os
import sys

from broadcast import interrupt
from broadcast.errors import InterruptedRunError


def main() -> None:
    """Run the command line and exit with the code that its outcome has."""
    interrupt.at_once()
    from broadcast import defects, streams

    output = streams.take_over()
    defects.show(os.environ)
    try:
        from broadcast.cli.app import run

        code = run()
        interrupt.at_once()
    except interrupt.Interrupted:
        sys.stderr.write(f"{interrupt.LINE}\n")
        code = InterruptedRunError.exit_code
    sys.stdout.flush()
    if output.failure is not None:
        sys.stderr.write(f"broadcast: the output cannot be written: {output.failure.strerror}\n")
        code = code or 2
    sys.exit(code)


if __name__ == "__main__":
    main()
