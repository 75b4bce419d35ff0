"""The JSON schema of a configuration, kept beside this file so that it is there at once.

    python -m bonesim.config.schema        write it again, after a parameter has changed

Making it imports every parameter's module, and with them Numba and Mesa; a test compares the two.
"""

import json
from pathlib import Path

PLACE = Path(__file__).with_name("schema.json")


def text() -> str:
    """The schema as JSON text."""
    return PLACE.read_text(encoding="utf-8")


def made() -> str:
    """The schema made from the parameters themselves."""
    from bonesim.config.config import Config

    return json.dumps(Config.model_json_schema(), indent=1) + "\n"


if __name__ == "__main__":
    PLACE.write_text(made(), encoding="utf-8")
