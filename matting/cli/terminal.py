"""What the command line shows of names and messages."""

import argparse
from typing import NoReturn


def printable(line: object) -> str:
    """A line in which everything that a terminal would obey, such as escape sequences in a file's name, is spelled out."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(line))


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line, without obeying what they hold."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, printable(f"{self.prog}: error: {message}") + "\n")
