"""Statistics of studies and trials: intervals, tests, arms compared with their twins."""
