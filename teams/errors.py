"""Refusals: what a service says when it will not do a thing. Every door turns them into words in one place."""


class Refused(Exception):
    """A rule forbids this change. `code` is for programs, `message` a translatable sentence for people."""

    def __init__(self, code: str, message: object, **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.details = details

    def __str__(self) -> str:
        return str(self.message)


class OutOfReach(Exception):
    """The row is not there, or not there for the one who asks. The two are one answer: 404."""
