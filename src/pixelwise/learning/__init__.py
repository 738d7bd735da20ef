"""Engine: makes a network better."""
