"""The commands: options in, one public function, its data as text, tables or pictures."""

__all__: list[str] = []
