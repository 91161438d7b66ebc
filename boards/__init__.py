"""The boards that muptane runs on; the emulator, `unix`, is one of them."""
