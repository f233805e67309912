from itertools import chain, combinations

import pytest

from proxx_worker.feeding.standing import Outputs, Standing, State, standing

ALL_STATES = [frozenset(states) for states in chain.from_iterable(combinations(State, count) for count in range(len(State) + 1))]
NONE, SOME, ALL = Outputs


@pytest.mark.parametrize(
    ("states", "outputs", "person", "feeder"),
    [
        ((), NONE, Standing.NEW, Standing.NEW),
        ((), SOME, Standing.IN_PART, Standing.IN_PART),
        ((), ALL, Standing.MADE, Standing.MADE),
        ((State.WAITING,), NONE, Standing.QUEUED, Standing.QUEUED),
        ((State.RUNNING,), NONE, Standing.QUEUED, Standing.QUEUED),
        ((State.DONE,), ALL, Standing.DONE, Standing.DONE),
        ((State.DONE,), NONE, Standing.NEW, Standing.DONE),
        ((State.FAILED,), NONE, Standing.NEW, Standing.FAILED),
        ((State.FAILED,), SOME, Standing.IN_PART, Standing.FAILED),
        ((State.FAILED,), ALL, Standing.MADE, Standing.MADE),
        ((State.FAILED, State.DONE), ALL, Standing.DONE, Standing.DONE),
        ((State.FAILED, State.DONE), NONE, Standing.NEW, Standing.DONE),
        ((State.FAILED, State.WAITING), NONE, Standing.QUEUED, Standing.QUEUED),
    ],
)
def test_the_table(states: tuple[State, ...], outputs: Outputs, person: Standing, feeder: Standing) -> None:
    assert standing(states, outputs, again=True) is person
    assert standing(states, outputs, again=False) is feeder


def test_a_feeder_never_tries_twice() -> None:
    for states in ALL_STATES:
        for outputs in Outputs:
            assert (standing(states, outputs, again=False) is Standing.NEW) == (not states and outputs is NONE)


def test_nobody_writes_what_waits_runs_or_is_made() -> None:
    for states in ALL_STATES:
        for outputs in Outputs:
            if standing(states, outputs, again=True) is Standing.NEW:
                assert outputs is NONE
                assert not states & {State.WAITING, State.RUNNING}
