"""Reads a finished sweep, prints the answer as a table, and draws it. Nothing is simulated here.

bonesim sweep run study.toml -o sweep
python answer.py sweep answer.png
"""

import argparse

import bonesim

OUTCOME = "bvtv_percent"


def main() -> None:
    """Print and draw the answer."""
    parser = argparse.ArgumentParser(description="The answer from a finished sweep.")
    parser.add_argument("folder", help="of the sweep")
    parser.add_argument("output", help="picture to make (.png)")
    given = parser.parse_args()
    # Rows share seeds and bones: each is compared with its reference within pairs.
    answer = bonesim.paired_sweep(given.folder, outcome=OUTCOME, moment="change")
    for row in answer.to_dict("records"):
        print(
            f"{OUTCOME}, {row['differs']} less {row['reference']}: {row['mean']:+.2f} +/- {row['ci']:.2f} "
            f"{answer.attrs['unit']} (95 % interval over {row['n']} pairs)"
        )
    bonesim.plot_sweep(
        given.folder, given.output, outcome=OUTCOME, moment="change", kind="curves", overwrite=True
    )


if __name__ == "__main__":
    main()
