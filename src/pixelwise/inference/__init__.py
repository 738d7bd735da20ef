"""Engine: an image of any size becomes probabilities and labels."""
