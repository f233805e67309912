"""Whether a planned spec still has to be written, from what the folders show, as one table."""

from collections.abc import Collection
from enum import StrEnum


class State(StrEnum):
    """Where a job with exactly the bytes of a planned spec is. The values are the workspace's folders."""

    WAITING = "inbox"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Outputs(StrEnum):
    """How many of a spec's outputs exist."""

    NONE = "none"
    SOME = "some"
    ALL = "all"


class Standing(StrEnum):
    """The state of a planned spec. The values complete "12 ...", except NEW and IN_PART."""

    NEW = "new"
    """Has to be written."""
    QUEUED = "already waiting or running"
    DONE = "already done"
    FAILED = "failed before"
    """Only for callers that must not retry by themselves."""
    MADE = "already made without a known job"
    IN_PART = "in part"
    """Some outputs exist, but not from a job of this spec: the job could only fail."""


def standing(states: Collection[State], outputs: Outputs, *, again: bool) -> Standing:
    """What to do about a planned spec.

    `again`: a person asks, and wants failed or removed outputs made again. Without it, whatever was tried once in this workspace
    is left as it is: a feeder that retried by itself would never stop.
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
