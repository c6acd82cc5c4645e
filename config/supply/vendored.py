"""Files of others that lie in `static/vendor/`: their versions are read from the files themselves."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from config.supply.lock import ROOT


@dataclass(frozen=True)
class Vendored:
    name: str
    purl_name: str
    licence: str
    folder: str
    version: re.Pattern[str]

    def files(self, root: Path = ROOT) -> list[Path]:
        return sorted(each for each in (root / self.folder).iterdir() if each.suffix in (".js", ".css"))

    def version_in(self, root: Path = ROOT) -> str:
        """The version its first file tells. Raises ValueError if it tells none."""
        head = self.files(root)[0].read_text(encoding="utf-8")[:500]
        found = self.version.search(head)
        if found is None:
            raise ValueError(f"{self.folder} does not tell its version")
        return found[1]

    def digests(self, root: Path = ROOT) -> dict[str, str]:
        return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in self.files(root)}


VENDORED = (
    Vendored("Chart.js", "chart.js", "MIT", "static/vendor/chartjs", re.compile(r"Chart\.js v([\d.]+)")),
    Vendored("Pico CSS", "%40picocss/pico", "MIT", "static/vendor/pico", re.compile(r"Pico CSS \S* ?v([\d.]+)")),
)


def unknown(root: Path = ROOT) -> list[str]:
    """Folders of `static/vendor/` that are not told above."""
    told = {each.folder.rsplit("/", 1)[-1] for each in VENDORED}
    return sorted(each.name for each in (root / "static/vendor").iterdir() if each.is_dir() and each.name not in told)
