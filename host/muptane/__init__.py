"""muptane on a computer: the back office, the bench and the command line."""
