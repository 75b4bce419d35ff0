"""Clinical trials on a cohort of virtual people: who, which arms, and what statistics make of it."""
