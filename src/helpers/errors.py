"""The error that bad input raises."""

SHOWN_ROWS = 5  # that a sentence names before it counts the rest


class Problem(str):
    """A sentence about an input, with its place.

    Parameters
    ----------
    text : str
        What was found, and what to do.
    rows : list of int
        All rows that it is about, as the file numbers them.
    column : str
    """

    def __new__(cls, text, rows=(), column=""):
        rows = tuple(rows)
        shown = ", ".join(map(str, rows[:SHOWN_ROWS]))
        more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
        places = [f"row{'s' if len(rows) > 1 else ''} {shown}{more}"] if rows else []
        places += [f"column {column!r}"] if column else []
        problem = super().__new__(cls, f"{', '.join(places)}: {text}" if places else text)
        problem.text, problem.rows, problem.column = text, rows, column
        return problem


def problems_where(wrong, text, column="") -> list[Problem]:
    """One problem of all rows in which a Series is true; none where it is true in no row."""
    rows = list(wrong.index[wrong])
    return [Problem(text, rows, column)] if rows else []


class InputError(Exception):
    """Everything that is wrong with an input, found in one pass.

    Parameters
    ----------
    source : str
        The file that was read.
    problems : list of str or Problem
        One sentence a problem: where it is, what was found, what to do.
    """

    def __init__(self, source, problems):
        self.source = str(source)
        self.problems = list(problems)
        super().__init__(source, problems)  # what a process needs that is sent it

    def __str__(self):
        return "\n".join(f"{self.source}: {problem}" for problem in self.problems)
