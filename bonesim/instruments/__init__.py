"""What a clinic would read off the simulated bone: densities, markers, scans, with their noise."""
