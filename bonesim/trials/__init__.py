"""Simulated clinical trials on a cohort of virtual people: participants, arms, statistics."""
