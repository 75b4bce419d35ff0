"""What can go wrong, and the exit code each kind of failure has.

Every message is one line: what is wrong, where, the value given, what is allowed, what to do.
Backticks in a message are reserved for names of arguments, as in "give fewer `workers`".
Exit codes: 0 done; 1 a bug in bonesim; 2 bad input or usage; 3 a sweep finished with failed points;
4 not enough memory or disk; 5 corrupt file; 6 locked or busy; 7 numerical failure;
130/143 stopped by a signal.
"""

import re

__all__ = [
    "BonesimError",
    "BusyError",
    "CorruptFileError",
    "InputError",
    "NumericalError",
    "ResourceError",
]


#: An argument's name in a message.
_ARGUMENT = re.compile(r"`(\w+)`")


class BonesimError(Exception):
    """A failure with a one-line message and an exit code; never a bug in bonesim itself.

    Args:
        message: the line, names of arguments in backticks; `str` of the error is without these.
    """

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(_ARGUMENT.sub(r"\1", message))
        #: As it was given, with backticks.
        self.message = message


class InputError(BonesimError):
    """The user's input is wrong: a parameter, a file, an option.

    Args:
        message: what is wrong with it.
        parameter: Python name of the argument at fault; `str` of the error begins with it.
    """

    exit_code = 2

    def __init__(self, message: str, *, parameter: str | None = None) -> None:
        super().__init__(message if parameter is None else f"{parameter}: {message}")
        self.message = message
        self.parameter = parameter


class ResourceError(BonesimError):
    """Not enough memory or disk for the task."""

    exit_code = 4


class CorruptFileError(BonesimError):
    """A file exists but its content is damaged, foreign or hostile."""

    exit_code = 5


class BusyError(BonesimError):
    """Another process is writing the file."""

    exit_code = 6


class NumericalError(BonesimError):
    """A computation did not converge or lost its balance."""

    exit_code = 7
