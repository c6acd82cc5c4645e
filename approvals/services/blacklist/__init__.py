"""The blacklist: asking for an entry, its extension or its end; holding at once; checking; what time does by itself."""

from approvals.services.blacklist.asking import ask, extend, find, lift, review
from approvals.services.blacklist.checking import Answer, Asked, check
from approvals.services.blacklist.sweeping import lapse, tell_reviews

__all__ = ["Answer", "Asked", "ask", "check", "extend", "find", "lapse", "lift", "review", "tell_reviews"]
