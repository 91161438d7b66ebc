"""Images on their way: a Primary's depot; later deltas and decryption."""
