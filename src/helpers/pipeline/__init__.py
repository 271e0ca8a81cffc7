"""From a cohort to a book: run the notebooks, build the pages, publish both at once."""

from helpers.pipeline.book import build_book
from helpers.pipeline.project import BuildError

__all__ = ["BuildError", "build_book"]
