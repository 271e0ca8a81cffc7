"""The error that bad input raises."""


class InputError(Exception):
    """Everything that is wrong with an input, found in one pass.

    Parameters
    ----------
    source : str
        The file that was read.
    problems : list of str
        One sentence a problem: where it is, what was found, what to do.
    """

    def __init__(self, source, problems):
        self.source = str(source)
        self.problems = list(problems)
        super().__init__("\n".join(f"{self.source}: {problem}" for problem in self.problems))
