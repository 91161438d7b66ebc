"""What is frozen into the firmware: this board's _boot.py instead of the stock one, the client,
this board, and its start.

make -C ports/rp2 BOARD=RPI_PICO FROZEN_MANIFEST=<checkout>/boards/pico_mcp2518fd/manifest.py

Leave the last three lines out for firmware that takes the client from its filesystem: only
_boot.py has to be frozen, because the stock one would write over the slots.
"""

module("rp2.py", base_path="$(PORT_DIR)/modules")  # noqa: F821
module("_boot.py")  # noqa: F821
package("uptane", base_path="../../firmware", opt=3)  # noqa: F821
module("board.py", opt=3)  # noqa: F821
module("main.py", base_path="..", opt=3)  # noqa: F821
