"""Mutants of the device code: which there are, which tests meet them, and which tests notice."""
