"""How a figure or a table leaves a notebook, and how a page of the book takes it in.

A notebook output holds what Jupyter shows (SVG or HTML) and, as the output's metadata, what a
page needs besides: name, caption, alternative text, cells. `PageViews` is a plug-in of myst-nb
(entry point ``myst_nb.mime_renderers``) which makes document nodes of them, so that Sphinx
numbers figures and tables and resolves references to their names. Text becomes text nodes and
is never parsed: no label can bring markup into a page.
"""

import re
from contextlib import contextmanager
from html import escape
from itertools import takewhile

from docutils import nodes
from nbformat.v4 import new_output

KEY = "rhcc"
# An estimate with its interval, a count with its percentage: in a narrow cell the one goes below.
ESTIMATE = re.compile(r"(.+) (\S+ to \S+|\(\S+%\))")
# Pieces of a heading or a row's header that are not broken: ``(95% CI)``, and names with a hyphen.
PIECES = re.compile(r"(\([^()]{,12}\)|\b\w+-\w+\b)")

_collected: list[list] = []


def display_view(mime_type, content, text, view) -> None:
    """Show a view in a notebook.

    Parameters
    ----------
    mime_type : {'image/svg+xml', 'text/html'}
    content : str
        What Jupyter shows.
    text : str
        What a terminal shows.
    view : dict
        What a page needs: ``name``, ``caption``, and the rest of a figure or table.
    """
    from IPython.display import display

    data, metadata = {mime_type: content, "text/plain": text}, {KEY: view}
    if _collected:
        _collected[-1].append(new_output("display_data", data=data, metadata=metadata))
    else:
        display(data, raw=True, metadata=metadata)


@contextmanager
def collect_views():
    """Collect what is shown in the block as outputs of a notebook that is not run."""
    _collected.append([])
    try:
        yield _collected[-1]
    finally:
        _collected.pop()


class PageViews:
    """Plug-in of myst-nb for the outputs that `display_view` wrote."""

    mime_priority_overrides = (("html", "text/markdown", 25),)  # before HTML, for Jupyter alone

    @staticmethod
    def handle_mime(renderer, data, inline):
        """Return the nodes of an output, or None where it is not a view."""
        view = data.output_metadata.get(KEY)
        if view is None or inline:
            return None
        if data.mime_type == "image/svg+xml":
            uri = renderer.write_file(
                [f"{view['name']}.svg"], data.string.encode(), overwrite=True, exists_ok=True
            )
            found = [figure_node(view, uri)]
        elif data.mime_type == "text/html":
            found = folded([table_node(view), *note_nodes(view["notes"])], view["fold"])
        else:
            return None
        document = renderer.renderer.document
        shown = next(node for node in found if not isinstance(node, nodes.raw))
        shown.source, shown.line = document["source"], data.line
        document.note_explicit_target(shown, shown)
        return [nodes.container("", *found, classes=["output", "view"])]


def figure_node(view, uri) -> nodes.figure:
    """Make a captioned figure of an image file, linked to the file."""
    image = nodes.image(uri=uri, alt=view["alt"], width=f"{view['width']}px")
    image["classes"].append("dark-light")
    return nodes.figure(
        "",
        image,
        nodes.caption(view["caption"], view["caption"]),
        names=[nodes.fully_normalize_name(view["name"])],
        classes=["drawn"],
    )


def table_node(view) -> nodes.table:
    """Make a captioned table with spanners, row groups and row headers."""
    columns = view["columns"]
    group = nodes.tgroup("", cols=len(columns))
    group += [nodes.colspec(colwidth=1, stub=int(index == 0)) for index in range(len(columns))]
    group += nodes.thead("", *_head_rows(columns))
    group += nodes.tbody("", *[_body_row(row, columns) for row in view["rows"]])
    return nodes.table(
        "",
        nodes.title(view["caption"], view["caption"]),
        group,
        names=[nodes.fully_normalize_name(view["name"])],
        classes=["results", "stacked"] if view["stacked"] else ["results"],
    )


def note_nodes(notes) -> list:
    """Make the notes that stand below a table."""
    paragraphs = [nodes.paragraph(note, note) for note in notes]
    return [nodes.container("", *paragraphs, classes=["table-notes"])] if notes else []


def folded(found, summary) -> list:
    """Put nodes behind a line that opens them, where there is a `summary`."""
    if not summary:
        return found
    before = f'<details class="fold"><summary>{escape(summary)}</summary>'
    opening, closing = (nodes.raw("", tag, format="html") for tag in (before, "</details>"))
    return [opening, *found, closing]


def _heading(text, classes=(), **attributes):
    """Make a heading."""
    content = nodes.paragraph("", "", *_pieces(text))
    return nodes.entry("", content, classes=list(classes), **attributes)


def _pieces(text):
    """The text as nodes, in which `PIECES` are not broken."""
    return [
        _together(part) if PIECES.fullmatch(part) else nodes.Text(part)
        for part in PIECES.split(text)
        if part
    ]


def _together(text):
    return nodes.inline(text, text, classes=["together"])


def _head_rows(columns):
    """Yield the labels, below a row of spanners if there are any; other labels span both rows."""
    spanned = any(column["spanner"] for column in columns)
    first, second = nodes.row(), nodes.row()
    for index, column in enumerate(columns):
        spanner = column["spanner"]
        label = _heading(column["label"], [f"{column['kind']}-cell"])
        if not spanner:
            if spanned:
                label["morerows"] = 1
            first += label
            continue
        second += label
        if index == 0 or columns[index - 1]["spanner"] != spanner:
            width = len(list(takewhile(lambda c, s=spanner: c["spanner"] == s, columns[index:])))
            first += _heading(spanner, ["spanner"], **_span(width))
    yield first
    if spanned:
        yield second


def _body_row(row, columns):
    if row["kind"] == "section":
        heading = _heading(row["cells"][0], **_span(len(columns)))
        return nodes.row("", heading, classes=["section-row"])
    classes = [f"{row['kind']}-row"] + (["indented"] if row["indent"] else [])
    cells = zip(row["cells"], columns, strict=True)
    return nodes.row("", *[_cell(text, column["kind"]) for text, column in cells], classes=classes)


def _cell(text, kind):
    if kind == "verdict" and text:
        parts = [nodes.inline(text, text, classes=["verdict", text.replace(" ", "-")])]
    elif kind == "number" and (found := ESTIMATE.fullmatch(text)):
        first, second = map(_together, found.groups())
        parts = [first, nodes.Text(" "), second]
    else:
        parts = [nodes.Text(text)] if kind == "number" and text else _pieces(text)
    content = [nodes.paragraph("", "", *parts)] if parts else []
    return nodes.entry("", *content, classes=[f"{kind}-cell"])


def _span(width):
    return {"morecols": width - 1} if width > 1 else {}
