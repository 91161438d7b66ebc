"""What is frozen into the firmware: the stock modules, the client, this board, and its start.

make -C ports/stm32 BOARD=PYBV11 FROZEN_MANIFEST=<checkout>/boards/pyboard_v11/manifest.py
"""

include("$(PORT_DIR)/boards/manifest.py")  # noqa: F821
package("uptane", base_path="../../firmware", opt=3)  # noqa: F821
module("board.py", opt=3)  # noqa: F821
module("main.py", base_path="..", opt=3)  # noqa: F821
