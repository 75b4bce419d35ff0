"""Pictures of a run, made from its file alone: `render` for paper, `view` for the screen."""
