"""Pictures of a run, made from its file alone: `render` for paper, `view` for the screen."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "": ("palette",),
        "experiment_figure": ("draw_lines", "legend_below", "panels", "table_and_figure"),
        "loss": ("stack_parts",),
        "print_size": (
            "ONE_COLUMN_MM", "TWO_COLUMNS_MM", "at_print_size", "keep_ticks", "lettered", "print_figure",
        ),
    },
)  # fmt: skip
