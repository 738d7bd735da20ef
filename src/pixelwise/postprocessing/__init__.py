"""Labels or probabilities become better labels; stored as data, never as code."""
