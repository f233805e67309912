"""Whether a planned spec is still to be written, from what the folders show: one table, by value."""

from collections.abc import Collection
from enum import StrEnum


class State(StrEnum):
    """Where a job with the very bytes of a planned spec is found. The values are the workspace's folders."""

    WAITING = "inbox"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Outputs(StrEnum):
    """How many of a spec's outputs are in their place."""

    NONE = "none"
    SOME = "some"
    ALL = "all"


class Standing(StrEnum):
    """What is known of a planned spec. The values complete "12 ...", NEW and IN_PART apart."""

    NEW = "new"
    """To be written."""
    QUEUED = "waiting or running already"
    DONE = "done already"
    FAILED = "failed before"
    """Only for who must not try again by himself."""
    MADE = "with outputs there, of no job known here"
    IN_PART = "in part"
    """Some outputs are there, and no job of this spec made them: the job could only fail."""


def standing(states: Collection[State], outputs: Outputs, *, again: bool) -> Standing:
    """What to do about a planned spec.

    `again`: a person asks, who wants what failed, or what was taken away, once more. Without it, whatever was tried once in this
    workspace is left as it is: a feeder that tried again by itself would never end.
    """
    if State.WAITING in states or State.RUNNING in states:
        return Standing.QUEUED
    if State.DONE in states and (outputs is Outputs.ALL or not again):
        return Standing.DONE
    if outputs is Outputs.ALL:
        return Standing.MADE
    if State.FAILED in states and not again:
        return Standing.FAILED
    return Standing.NEW if outputs is Outputs.NONE else Standing.IN_PART
