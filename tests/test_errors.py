"""Errors: texts, parameters at fault, names of arguments, and copies between processes."""

import pickle

import pytest

from bonesim.errors import BonesimError, InputError, ResourceError


def test_an_error_without_a_parameter_is_its_message() -> None:
    error = InputError("run.toml: cannot be read")
    assert str(error) == error.message == "run.toml: cannot be read"
    assert error.parameter is None


def test_an_error_begins_with_its_parameter() -> None:
    error = InputError("'pink' is not known", parameter="colour")
    assert str(error) == "colour: 'pink' is not known"
    assert (error.message, error.parameter) == ("'pink' is not known", "colour")


@pytest.mark.parametrize("kind", [InputError, ResourceError, BonesimError])
def test_backticks_of_arguments_are_in_the_message_only(kind: type[BonesimError]) -> None:
    error = kind("give fewer `workers` or a smaller bone")
    assert str(error) == "give fewer workers or a smaller bone"
    assert error.message == "give fewer `workers` or a smaller bone"


def test_backticks_around_anything_else_stay() -> None:
    assert str(InputError("where: '`a.b` < 3' cannot be read")) == (
        "where: '`a.b` < 3' cannot be read"
    )


def test_an_error_can_be_sent_to_another_process() -> None:
    error = InputError("give `x`, not 3", parameter="y")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error) == "y: give x, not 3"
    assert (copy.message, copy.parameter) == (error.message, error.parameter)
