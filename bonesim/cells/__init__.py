"""The agents: osteoclasts, osteoblasts, osteocytes, their units and the cavities they share."""
