"""One file per verb; each reads like the recipe that it is."""
