"""Speed and memory: promises that are measured, one command each."""
