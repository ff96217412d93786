"""`python -m benchmarks`."""

import sys

if __name__ == "__main__":
    from benchmarks.run import main  # not above: processes that an import starts run this file again

    sys.exit(main())
