"""The engine: one specimen day by day, its burn-in, its daily table, its run file."""
