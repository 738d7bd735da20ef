"""Whether `pixelwise check` finds what was broken on purpose, and stays quiet where nothing was."""
