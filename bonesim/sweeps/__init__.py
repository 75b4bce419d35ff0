"""Many runs: a study's design, its engine, and the growing table of its results."""
