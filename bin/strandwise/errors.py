"""The one kind of error that users can mend: said in a line each, without a traceback."""


class InputError(Exception):
    """Input that cannot be used. Exit status 65 (EX_DATAERR of sysexits.h).

    problems: one line each: where (file, row, column or contig:position), what, remedy.
    """

    exit_status = 65

    def __init__(self, *problems: str):
        super().__init__(*problems)
        # A binary file where text is expected must not reach the terminal as it is.
        self.problems = ["".join(c if c.isprintable() or c in "\n\t" else "?" for c in problem) for problem in problems]

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return self.problems[0]
        return "\n  ".join([f"{len(self.problems)} problems", *self.problems])
