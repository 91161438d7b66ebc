"""What an ECU keeps: small values by number, and images in slots, on raw flash."""
