from xml.etree import ElementTree

from matting.app.tabs.tables import published_cells
from matting.app.views.sortable import Column, number_cell, sortable_table, text_cell
from matting.evaluation.published import published_table


def test_groups_stand_above_their_columns():
    columns = [Column("Method"), Column("SAD", "NP"), Column("Conn", "NP"), Column("SAD", "P")]
    row = [text_cell("A & B"), number_cell(1.0, ".2f"), number_cell(2.0, ".2f"), number_cell(None, ".2f")]
    table = ElementTree.fromstring(sortable_table(columns, [row], "results").replace(" hidden>", ">")).find(".//table")
    groups, titles = table.findall("thead/tr")
    assert [(cell.get("colspan"), cell.text) for cell in groups] == [("1", None), ("2", "NP"), ("1", "P")]
    assert [cell.find("button").text for cell in titles] == ["Method", "SAD", "Conn", "SAD"]
    cells = table.findall("tbody/tr/td")
    assert [cell.get("data-order") for cell in cells] == ["a & b", "1.0", "2.0", "inf"]
    assert [cell.text for cell in cells] == ["A & B", "1.00", "2.00", "–"]


def test_every_published_row_is_there_and_bold_needs_no_trimap():
    columns, rows = published_cells(published_table().rows)
    assert len(rows) == 11
    assert all(len(row) == len(columns) for row in rows)
    bold = {row[0].text for row in rows if any(cell.best for cell in row)}
    assert bold == {"Ours (paper)", "P3M-Net"}
    assert [row[0].text for row in rows if "trimap" in row[0].text] == ["DIM * (needs a trimap)"]
