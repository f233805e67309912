"""Tell a schedule, call by call: `python -m tests.simulation SEED`."""

import sys

from loguru import logger

from tests.simulation.schedules import run

logger.remove()
outcome = run(int(sys.argv[1]), calls=True)
print(outcome)  # noqa: T201
sys.exit(bool(outcome.faults))
