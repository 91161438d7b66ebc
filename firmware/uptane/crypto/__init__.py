"""Hashes and signatures; everything outside this folder is given a `suite.Suite`."""
