"""The parts of a loss of bone: reversible, thinning, lost structure."""
