"""Statistics that studies and trials share: intervals, tests, arms against their twins."""
