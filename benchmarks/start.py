"""How long Outpost takes to be ready in a home of its own: the first time, with the demo organisation, and again; and to stop.

    python -m benchmarks.start [--no-demo]

The environment is that of the interpreter which runs this: what packages take to arrive is not measured.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.runtime.outpost import Outpost

FIRST_SECONDS, AGAIN_SECONDS, STOP_SECONDS = 90, 10, 10
PATIENCE = 900


def told(what: str, seconds: float, limit: float) -> bool:
    is_met = seconds <= limit
    print(f"{what}: {seconds:.1f} s (limit {limit} s) {'PASS' if is_met else 'NOT MET'}", flush=True)
    return is_met


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--no-demo", action="store_true", help="without the demo organisation")
    wish = arguments.parse_args()
    met = []
    with tempfile.TemporaryDirectory() as place:
        outpost = Outpost(Path(place) / "home", OUTPOST_DEMO="0" if wish.no_demo else "1")
        try:
            for what, limit in (("first start", FIRST_SECONDS), ("next start", AGAIN_SECONDS)):
                met.append(told(what, outpost.start().wait_until_ready(PATIENCE), limit))
                code, seconds, said = outpost.stop()
                if code != 0:
                    print(said)
                    return 1
                met.append(told(f"stop after the {what}", seconds, STOP_SECONDS))
        finally:
            if outpost.process is not None and outpost.process.poll() is None:
                outpost.kill()
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
