"""The error that bad input raises."""


class Problem(str):
    """A sentence about an input, with its place.

    Parameters
    ----------
    text : str
        What was found, and what to do.
    rows : list of int
        Rows as the file numbers them.
    column : str
    """

    def __new__(cls, text, rows=(), column=""):
        places = [f"row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows))}"] if rows else []
        places += [f"column {column!r}"] if column else []
        problem = super().__new__(cls, f"{', '.join(places)}: {text}" if places else text)
        problem.text, problem.rows, problem.column = text, tuple(rows), column
        return problem


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
        super().__init__("\n".join(f"{self.source}: {problem}" for problem in self.problems))
