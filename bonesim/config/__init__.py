"""Configurations: TOML in, validated parameters out, and what is wrong with them in one line."""
