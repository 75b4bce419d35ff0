"""What can go wrong, and the exit code each kind of failure has.

Every message is one line: what is wrong, where, what we got, what is allowed, what to do.
Exit codes: 0 done; 1 our bug; 2 bad input or usage; 3 a sweep finished with failed points;
4 not enough memory or disk; 5 corrupt file; 6 locked or busy; 7 numerical failure;
130/143 stopped by a signal.
"""


class BonesimError(Exception):
    """A failure with a one-line message and an exit code; never a bug in bonesim itself."""

    exit_code = 1


class InputError(BonesimError):
    """The user's input is wrong: a parameter, a file, an argument.

    Args:
        message: one line; other arguments stand in it in backticks, e.g. "give fewer `workers`".
        parameter: the Python name of the argument at fault, e.g. "voxel_um".

    Attributes:
        message: as given, with its backticks. The command line writes arguments as options.
        parameter: as given.
    """

    exit_code = 2

    def __init__(self, message: str, *, parameter: str | None = None) -> None:
        self.message, self.parameter = message, parameter
        text = message if parameter is None else f"{parameter}: {message}"
        super().__init__(text.replace("`", ""))


class ResourceError(BonesimError):
    """Not enough memory or disk for what was asked."""

    exit_code = 4


class CorruptFileError(BonesimError):
    """A file exists but its content is damaged, foreign or hostile."""

    exit_code = 5


class BusyError(BonesimError):
    """Somebody else is writing the file."""

    exit_code = 6


class NumericalError(BonesimError):
    """A computation did not converge or lost its balance."""

    exit_code = 7
