"""What a car maker runs: keys, the two repositories, the inventory, the time source, packing.

Nothing here knows that a bench exists, and nothing here uses the device's codec, crypto or
verifier: maker and verifier must be able to catch each other's mistakes. From `uptane` come
numbers only (`ids`, `algorithms`, `limits`, `errors`). Every function is given the time at which
it acts.
"""
