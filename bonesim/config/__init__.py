"""Configurations: TOML in, validated parameters out, and what is wrong with them in one line."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "config": ("Config", "load_config", "validated", "tree_of", "to_toml"),
        "changes": ("changed", "parsed_changes", "value_at"),
        "twin": ("untreated_twin",),
    },
)  # fmt: skip
