"""Other tools asked on the same masks: their answers, written down with versions and date."""
