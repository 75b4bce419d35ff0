"""What a habitual load does to bone: strain energy in each of its elements."""
