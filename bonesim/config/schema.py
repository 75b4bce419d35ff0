"""The JSON schemas of what users write: the config of a run, a study, a trial.

    python -m bonesim.config.schema        write that of a run again, after a parameter has changed
    python -m bonesim.trials.schema        write all three

They are kept as files, so that they are there at once: making them imports every parameter's module,
and with them Numba and Mesa. A test compares files and parameters.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bonesim.units import unit_of

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.json_schema import GenerateJsonSchema

Kind = Literal["run", "study", "trial"]
#: Kind of file -> its schema, beside this module.
NAMES: dict[Kind, str] = {
    "run": "schema.json", "study": "study.schema.json", "trial": "trial.schema.json",
}  # fmt: skip
FOLDER = Path(__file__).parent
PLACE = FOLDER / NAMES["run"]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def text(kind: Kind = "run") -> str:
    """The schema as JSON text."""
    return (FOLDER / NAMES[kind]).read_text(encoding="utf-8")


def schema_of(model: "type[BaseModel]") -> dict[str, Any]:
    """The schema of a group of parameters: each with its unit, as `unit` and in its description."""
    found = model.model_json_schema(schema_generator=_generator())
    for group in (found, *found.get("$defs", {}).values()):
        for name, one in group.get("properties", {}).items():
            unit = unit_of(name)
            if unit:
                one["unit"] = unit
                one["description"] = f"{one.get('description', name)}; unit: {unit}"
    return {"$schema": DIALECT, **found}


def as_text(schema: dict[str, Any]) -> str:
    """A schema as it is kept."""
    return json.dumps(schema, indent=1) + "\n"


def made() -> str:
    """The schema of a run made from the parameters themselves."""
    from bonesim.config.config import Config

    return as_text(schema_of(Config))


def _generator() -> "type[GenerateJsonSchema]":
    """Pydantic's generator; where a single entry may stand for a list of one, both are allowed."""
    from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

    class Generator(GenerateJsonSchema):
        def function_before_schema(self, schema: Any) -> JsonSchemaValue:
            """Of values that are turned into a list before they are checked."""
            inner = super().function_before_schema(schema)
            if inner.get("type") == "array" and "items" in inner:
                return {"anyOf": [inner, inner["items"]]}
            return inner

    return Generator


if __name__ == "__main__":
    PLACE.write_text(made(), encoding="utf-8")
