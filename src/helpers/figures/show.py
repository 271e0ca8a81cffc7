"""Put a figure on the page, and on disk where a folder is named."""

from pathlib import Path

from helpers.figures.style import to_png, to_svg
from helpers.views import display_view


def show_figure(figure, name, caption, alt, out=None) -> None:
    """Show a figure with its caption and alternative text; the book numbers it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name : str
        Label for cross-references and stem of the file names, for instance ``fig-survival-os``.
    caption, alt : str
        Plain text.
    out : path-like, optional
        Folder in which to leave ``figures/{name}.svg`` and ``figures/{name}.png`` (300 dpi).
    """
    svg = to_svg(figure)
    if out is not None:
        folder = Path(out) / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
        (folder / f"{name}.png").write_bytes(to_png(figure))
    width = round(96 * figure.get_figwidth())
    view = {"name": name, "caption": caption, "alt": alt, "width": width}
    display_view("image/svg+xml", svg, f"{caption}\n{alt}", view)
