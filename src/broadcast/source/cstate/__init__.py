"""Import of a cState site: each of its issues becomes an announcement, and whatever cannot be kept is said.

How an issue is read:

- It is a maintenance when its title says so (maintenance, upgrade, migration, restart, brownout, ...) and does not
  speak of an outage, or when its first message announces something ahead ("will be down", "is planned"); with neither,
  when cState calls it informational or a `notice`. Anything else is an incident.
- `down` becomes `critical`, `disrupted` becomes `major`, `notice` becomes `minor`.
- The first message is dated by `date`, the one that ends the story by `resolvedWhen`, unless a time is written with it.
  Those in between keep the time that is written with them, as long as it fits the order; without one they are spread
  over the time between.
- A maintenance that was called off is `cancelled`. Drafts are not imported.
"""

from broadcast.source.cstate.convert import Conversion, convert, import_folder

__all__ = ["Conversion", "convert", "import_folder"]
