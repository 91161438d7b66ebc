"""Attacks as files, each with its own verdict; see `muptane.bench.attacks.attack`."""
