"""The modelled CAN bus: frames, controllers, arbitration, errors; what disturbs it."""
