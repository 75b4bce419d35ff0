"""The reports: what runs, scans and configurations say, as a table and as text."""

__all__: list[str] = []
