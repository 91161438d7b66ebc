"""Programs on the virtual bus: in their own languages, through python-can, or over a real bus."""
