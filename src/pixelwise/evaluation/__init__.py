"""Engine: truth and prediction become scores and summaries."""
