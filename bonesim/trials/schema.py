"""Writes the schemas of runs, studies and trials again: python -m bonesim.trials.schema."""

from bonesim.config.config import Config
from bonesim.config.schema import FOLDER, NAMES, Kind, as_text, schema_of
from bonesim.parameters import Parameters
from bonesim.sweeps.study import StudyParameters
from bonesim.trials.parameters import TrialParameters

MODELS: dict[Kind, type[Parameters]] = {
    "run": Config, "study": StudyParameters, "trial": TrialParameters,
}  # fmt: skip


def made(kind: Kind) -> str:
    """A schema made from the parameters themselves."""
    return as_text(schema_of(MODELS[kind]))


if __name__ == "__main__":
    for one, name in NAMES.items():
        (FOLDER / name).write_text(made(one), encoding="utf-8")
