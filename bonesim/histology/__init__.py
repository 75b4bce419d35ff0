"""Histology: labels, biopsies and sections of a simulation, and the truth they estimate."""
