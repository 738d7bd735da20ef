"""Facts, a time budget and a measured step time become a plan with reasons."""
