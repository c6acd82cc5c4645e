"""What has to be done on a restored database before it may serve. Whoever keeps something that a backup cannot know, such as
what was erased after it was made, registers the verb that brings it up to date, in `AppConfig.ready()`."""

from collections.abc import Callable

AfterRestore = Callable[[], object]

_verbs: dict[str, AfterRestore] = {}


def register(name: str, verb: AfterRestore) -> None:
    """Have `verb` called once on every restored database. It must be safe to repeat; what it returns is told."""
    _verbs[name] = verb


def after_restore() -> list[str]:
    """Call all that are registered; one that fails stops the restore, so that nothing half erased is ever served."""
    return [f"{name}: {verb()}" for name, verb in _verbs.items()]
