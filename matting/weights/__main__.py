"""python -m matting.weights info|convert|export|push: see `matting.cli.weights`."""

import sys

from matting.cli.weights import main

if __name__ == "__main__":
    sys.exit(main())
