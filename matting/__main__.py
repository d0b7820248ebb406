"""python -m matting INPUT... [-o OUT]: see `matting.cli.photo`."""

import sys

from matting.cli.photo import command

if __name__ == "__main__":
    sys.exit(command())
