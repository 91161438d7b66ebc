"""The instrument: a vehicle of real ECUs in one world with one clock and one seed."""
