"""How a delivery to a service can end other than well. Each carries a short code, and nothing of the address or the text."""


class NotDelivered(Exception):
    """The service has not taken it, and may later: try again."""


class Rejected(NotDelivered):
    """The service will not take it, however often it is asked: the robot has gone, or its rules forbid it."""


class Unclear(NotDelivered):
    """It was sent, and no whole answer came back: it may have arrived."""
