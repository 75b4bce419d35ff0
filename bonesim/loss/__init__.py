"""What a loss of bone is made of: what comes back by itself, what is thinner, what is gone."""
