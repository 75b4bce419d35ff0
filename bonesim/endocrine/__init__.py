"""The drive: hormones against day, and what they do to cells."""
