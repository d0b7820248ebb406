"""A table that sorts when a column's title is clicked and filters as the reader types; both happen in the browser."""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple

from matting.app import text


class Column(NamedTuple):
    """Title of a column, and the group it stands under, if any."""

    title: str
    group: str = ""


class Cell(NamedTuple):
    """What a cell shows and what it is sorted by; `best` is set in bold."""

    text: str
    order: float | str
    best: bool = False


def sortable_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], label: str) -> str:
    """HTML of the table with its search field; needs the script `scripts.SORT`.

    Args:
        columns: titles; neighbours of one group share a title above theirs.
        rows: a cell per column; columns of numbers are set flush right.
        label: what the table holds, for screen readers.
    """
    kinds = [_kind(cell) for cell in rows[0]]
    titles = "".join(_title(*item) for item in zip(range(len(columns)), columns, kinds, strict=True))
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    search = (
        f'<label class="search"><span>{text.TABLES_SEARCH}</span>'
        f'<input type="search" placeholder="{text.TABLES_SEARCH_HINT}"/></label>'
    )
    return (
        f'<div class="sortable">{search}<div class="scroll" tabindex="0" role="group" aria-label="{escape(label)}">'
        f'<table aria-label="{escape(label)}">'
        f"<thead>{_groups(columns)}<tr>{titles}</tr></thead>"
        f'<tbody>{body}</tbody></table></div><p class="small none" hidden>{text.TABLES_NONE}</p></div>'
    )


def number_cell(value: float | None, form: str, best: bool = False) -> Cell:
    """A number in the given format, e.g. ".2f"; none is a dash and comes last."""
    return Cell("–", float("inf")) if value is None else Cell(format(value, form), value, best)


def text_cell(words: str) -> Cell:
    return Cell(words, words.casefold())


def _groups(columns: Sequence[Column]) -> str:
    if not any(column.group for column in columns):
        return ""
    spans = ((group, len(list(members))) for group, members in groupby(columns, key=lambda column: column.group))
    cells = "".join(f'<th colspan="{span}" class="{"group" if group else ""}">{escape(group)}</th>' for group, span in spans)
    return f'<tr class="groups">{cells}</tr>'


def _title(number: int, column: Column, kind: str) -> str:
    button = f'<button type="button" data-column="{number}">{escape(column.title)}</button>'
    return f'<th class="{kind}" aria-sort="none">{button}</th>'


def _cell(cell: Cell) -> str:
    words = f"<b>{escape(cell.text)}</b>" if cell.best else escape(cell.text)
    return f'<td class="{_kind(cell)}" data-order="{escape(str(cell.order))}">{words}</td>'


def _kind(cell: Cell) -> str:
    return "text" if isinstance(cell.order, str) else "number"
