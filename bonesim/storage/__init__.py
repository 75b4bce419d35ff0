"""The files: run file, checkpoint, and what makes them survive crashes. Arrays and names only."""
