"""What the engines of trained runs cost and lose, and whether their bundles say the same."""
