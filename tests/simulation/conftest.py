"""Nothing is said aloud: a schedule is told by its own story."""

import pytest
from loguru import logger


@pytest.fixture(autouse=True)
def _silent() -> None:
    logger.remove()
