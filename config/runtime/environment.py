"""The environment beside the checkout: made from the hashed lock with nothing but Python, and mended when it
is not whole.

A marker per requirement set says which lock it was installed from; a set that vouches for another marks both.
A note stands in the folder for as long as an installation is under way: found by the next start, it tells of
one that was cut short, and the folder is made anew, since an installer takes half a package for a whole one.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.runtime.places import CHECKOUT, Unable
from config.runtime.processes import Progress, spawn, tail

VOUCHES_FOR = {"run": ("run",), "test": ("test", "run")}
LINES_PER_REPORT = 20


@dataclass(frozen=True)
class Environment:
    """The folder of one checkout's packages, and the requirement set that is asked of it."""

    folder: Path
    requirements: Path
    wanted: str

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def unfinished(self) -> Path:
        return self.folder / "outpost.unfinished"

    def lock_file(self, wanted: str) -> Path:
        return self.requirements / f"{wanted}.txt"

    def marker(self, wanted: str) -> Path:
        return self.folder / f"outpost-{wanted}.installed"

    def fingerprint(self, wanted: str) -> str:
        """What the marker of an up-to-date installation says."""
        return f"{hashlib.sha256(self.lock_file(wanted).read_bytes()).hexdigest()} {_version()}\n"

    def is_sound(self) -> bool:
        """Whether it can be built upon: a live interpreter of this version, and nothing left unfinished."""
        with contextlib.suppress(OSError):
            told = (self.folder / "pyvenv.cfg").read_text()
            is_alive = os.access(self.python, os.X_OK)
            return f"version = {_version()}." in told and is_alive and not self.unfinished.exists()
        return False

    def is_complete(self) -> bool:
        """Whether it is sound and was installed from the lock as it stands."""
        with contextlib.suppress(OSError):
            return self.is_sound() and self.marker(self.wanted).read_text() == self.fingerprint(self.wanted)
        return False

    def ensure(self, progress: Progress) -> None:
        """Have the packages of the lock installed."""
        if not self.is_complete():
            self.folder.mkdir(exist_ok=True)
            with self._alone(progress):
                if not self.is_complete():  # another start may have done it while we waited
                    self._install(progress)

    def occupy(self) -> None:
        """Keep the folder from being emptied while this process lives, whatever program it becomes."""
        in_use = os.open(self.folder / "outpost.in-use", os.O_RDWR | os.O_CREAT, 0o644)
        os.set_inheritable(in_use, True)
        fcntl.flock(in_use, fcntl.LOCK_SH)

    @contextlib.contextmanager
    def _alone(self, progress: Progress) -> Iterator[None]:
        with (self.folder / "outpost.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress.say("Another start is making the environment; waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _install(self, progress: Progress) -> None:
        if not self.is_sound():
            self._clear()
        self.unfinished.touch()
        lock_file = self.lock_file(self.wanted)
        packages = sum(line[:1].isalnum() for line in lock_file.read_text().splitlines())
        progress.say(f"Installing {packages} packages from requirements/{lock_file.name} into {self.folder}")
        log = self.folder / "outpost-install.log"
        for attempt in self._installers(lock_file):
            if self._follow(attempt, log, packages, progress):
                break
        else:
            raise Unable(
                f"The packages could not be installed. The installer said:\n{tail(log)}\n"
                "Check that this machine reaches its package index, then start again."
            )
        for vouched in VOUCHES_FOR[self.wanted]:
            self.marker(vouched).write_text(self.fingerprint(vouched))
        self.unfinished.unlink()
        progress.say("The environment is complete")

    def _clear(self) -> None:
        """Empty the folder but for its locks. Raises Unable while an Outpost runs from it."""
        with (self.folder / "outpost.in-use").open("a") as in_use:
            try:
                fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Unable(
                    f"The environment {self.folder} has to be made anew for Python {_version()}, but Outpost "
                    "is running from it. Stop it there, then start again."
                ) from None
            for entry in self.folder.iterdir():
                if entry.name in {"outpost.lock", "outpost.in-use"}:
                    continue
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()

    def _installers(self, lock_file: Path) -> Iterator[list[str]]:
        """The ways to install a lock, the quickest first; each makes the folder's interpreter beforehand."""
        asked = ["install", "--require-hashes", "--requirement", str(lock_file)]
        quiet = ["--disable-pip-version-check", "--no-input"]
        uv = shutil.which("uv")
        if uv:
            self._make_interpreter("--without-pip")
            yield [uv, "pip", *asked, "--python", str(self.python), "--compile-bytecode"]
        if importlib.util.find_spec("ensurepip"):
            self._make_interpreter()
            yield [str(self.python), "-m", "pip", *asked, *quiet]
        elif importlib.util.find_spec("pip"):
            self._make_interpreter("--without-pip")
            yield [sys.executable, "-m", "pip", "--python", str(self.python), *asked, *quiet]
        elif not uv:
            raise Unable(_NO_VENV)

    def _make_interpreter(self, *options: str) -> None:
        base = getattr(sys, "_base_executable", sys.executable)
        command = [base, "-m", "venv", *options, self.folder]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise Unable(f"{_NO_VENV}\n{made.stdout}{made.stderr}".rstrip())

    def _follow(self, command: list[str], log: Path, packages: int, progress: Progress) -> bool:
        """Run an installer and tell now and then how far it is."""
        settings = os.environ | {"PIP_USER": "0", "PYTHONUTF8": "1"}
        with log.open("wb") as file:
            installer = spawn(command, log=subprocess.PIPE, environment=settings, own_session=False)
            assert installer.stdout is not None  # noqa: S101 - it is a pipe, as asked
            fetched = 0
            try:
                for line in installer.stdout:
                    file.write(line)
                    fetched += line.startswith(b"Collecting ")
                    if line.startswith(b"Collecting ") and fetched % LINES_PER_REPORT == 0:
                        progress.say(f"    {fetched} of {packages} packages found")
                    elif line.startswith(b"Installing collected"):
                        progress.say("    all packages found, unpacking them")
            except KeyboardInterrupt:
                installer.terminate()
                raise
            finally:
                installer.wait()
        return installer.returncode == 0


_NO_VENV = (
    "This Python cannot make an environment: its venv module is not complete. On Debian and Ubuntu install "
    f"it with `apt install python3-venv` (or python{sys.version_info[0]}.{sys.version_info[1]}-venv), "
    "then start again."
)


def _version() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def enter(wanted: str, progress: Progress) -> None:
    """Go on inside the environment of the checkout, made first if need be. Does not return if it has to
    change over.

    OUTPOST_ENVIRONMENT=given takes the running interpreter as it is: for continuous integration and images.
    """
    if os.environ.get("OUTPOST_ENVIRONMENT") == "given":
        if importlib.util.find_spec("django") is None:
            raise Unable(
                f"OUTPOST_ENVIRONMENT is `given`, but {sys.executable} has no Django. Install "
                f"requirements/{wanted}.txt into it, or unset OUTPOST_ENVIRONMENT."
            )
        return
    environment = Environment(CHECKOUT / ".venv", CHECKOUT / "requirements", wanted)
    environment.ensure(progress)
    environment.occupy()
    if Path(sys.prefix).resolve() != environment.folder.resolve():
        os.execv(environment.python, [str(environment.python), *sys.orig_argv[1:]])  # noqa: S606 - the same program in its own environment
