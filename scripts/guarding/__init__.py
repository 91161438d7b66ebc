"""The guards of the store: the list of them, their planted bugs, and the faults they are for."""
