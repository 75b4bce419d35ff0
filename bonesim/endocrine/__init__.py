"""The drive: hormones against day, and what they do to cells."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "axis": ("AxisParameters",),
        "blood": ("Blood", "VariationParameters", "cohort", "simulate_blood"),
        "course": ("ConstantCourse", "Step", "SteppedCourse", "TableCourse", "make_course"),
        "drug": ("Drug",),
        "drugs": ("DRUGS",),
        "formulary": ("DrugParameters",),
        "protocol": ("ProtocolParameters",),
        "response": ("Response", "ResponseParameters"),
    },
)  # fmt: skip
