"""muptane on a computer: the car maker's back office, the bench, and what refusals mean."""
