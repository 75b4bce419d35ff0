"""The command doctor: whether all that bonesim needs is there and works."""

from bonesim.cli.options import Csv, Json, Overwrite, Parquet


def doctor(
    json: Json = False, csv: Csv = None, parquet: Parquet = None, overwrite: Overwrite = False
) -> None:
    """What is installed, what works, what is missing and how to get it; exit code 4 if needed."""
    from bonesim.api import look
    from bonesim.cli import table_files
    from bonesim.errors import ResourceError
    from bonesim.reports import doctor as report

    table_files.check(csv, json, parquet, overwrite=overwrite)
    table = look.doctor()
    if not table_files.write(table, csv, json, parquet):
        print(report.text(table))
    failed = table.loc[table["state"] == report.FAILED, "name"]
    if len(failed):
        raise ResourceError(
            f"{', '.join(failed)}: needed, but not working; bonesim doctor lists why"
        )
