"""Supervisors that are gone when a test is over, and homes to start them in, as the tests of the runtime have them."""

from tests.runtime.conftest import home, launch, made_home

__all__ = ["home", "launch", "made_home"]
