"""Run by `manage.py restore` on the restored database, before anybody is served: what was erased since is erased again."""

import django

django.setup()

from teams import recovery  # noqa: E402


def main() -> None:
    for line in recovery.after_restore():
        print(line)  # noqa: T201 - shown by the restore


if __name__ == "__main__":
    main()
