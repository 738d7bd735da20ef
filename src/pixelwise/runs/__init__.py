"""The folder that a run leaves behind: plan, weights, history, scores."""
