"""Engine: what a network can see, what it costs, and why."""
