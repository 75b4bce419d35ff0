"""The public functions, one for each command and as wide: what a user has goes in, data comes out."""

__all__: list[str] = []
