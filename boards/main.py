"""What a real board runs after power-up: its own `board`, and the Uptane client on it."""

import board
from uptane.main import run

run(board.build())
