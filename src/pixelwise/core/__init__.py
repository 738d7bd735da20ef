"""Nouns and rules that every other folder stands on."""
