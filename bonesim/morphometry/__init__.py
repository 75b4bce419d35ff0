"""The measurements of structure."""
