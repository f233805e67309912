"""`python -m proxx_worker`."""

import sys

from proxx_worker.cli import main

if __name__ == "__main__":
    sys.exit(main())
