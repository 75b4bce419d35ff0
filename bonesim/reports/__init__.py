"""The reports: runs, scans and configurations as a table and as text."""

__all__: list[str] = []
