#!/usr/bin/env python3
"""The one door: `python3 manage.py run` starts Outpost, `python3 manage.py test` tests it.

This file alone has to be readable by any Python, so that an old one gets a sentence instead of a traceback.
"""

import sys

if sys.version_info < (3, 11):
    sys.stderr.write(
        "Outpost needs Python 3.11 or newer, and this is Python %d.%d. Start it with a newer one, as in: "
        "python3.11 manage.py %s\n" % (sys.version_info[0], sys.version_info[1], " ".join(sys.argv[1:]) or "run")
    )
    sys.exit(1)

if __name__ == "__main__":
    from config.runtime.entry import main

    sys.exit(main(sys.argv))
