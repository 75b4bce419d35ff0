"""Run file, checkpoint, and writing that survives crashes. Arrays and names only."""
