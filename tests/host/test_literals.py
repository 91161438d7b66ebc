"""Numbers in the place of their names: the same program, in the same lines."""

import ast
import importlib
from time import process_time

import pytest

from muptane.bench import firmware
from muptane.literals import inlined

NUMBERS = "FIRST = 1\nSECOND = FIRST + 1\nLOW = -4\nWIDE = 1 << 30\nMASK = (1 << 30) - 1\n"


def rewritten(user: str, numbers: str = NUMBERS) -> tuple[str, str]:
    """What becomes of a module `numbers` and of one that uses it."""
    texts = inlined({"numbers": numbers, "user": user})
    return texts["numbers"], texts["user"]


def test_a_name_becomes_its_number_and_its_import_goes() -> None:
    numbers, user = rewritten("from numbers import FIRST, SECOND\nprint(FIRST, SECOND)\n")
    assert user == "\nprint(1, 2)\n"
    assert numbers == "\n\n\nWIDE = 1 << 30\n\n"


def test_what_is_no_small_number_stays_imported() -> None:
    _, user = rewritten("from numbers import FIRST, MASK, WIDE\nprint(FIRST, WIDE, MASK)\n")
    assert user == "from numbers import WIDE\nprint(1, WIDE, 1073741823)\n"


def test_every_line_stays_where_it_was() -> None:
    before = "from numbers import (\n    FIRST,\n    WIDE,\n)\n\n\ndef f():\n    return (\n"
    before += "        FIRST\n    )\n"
    _, user = rewritten(before)
    assert user.splitlines()[0] == "from numbers import WIDE"
    assert len(user.splitlines()) == len(before.splitlines())
    assert user.splitlines()[8].strip() == "1"


def test_numbers_keep_their_meaning_beside_signs_and_dots() -> None:
    before = "from numbers import LOW, SECOND\nx = 2 ** LOW, -LOW, SECOND.to_bytes(1, 'big')\n"
    _, user = rewritten(before)
    names = {"LOW": -4, "SECOND": 2}
    told: dict[str, object] = {}
    exec(user, told)
    assert told["x"] == (2 ** names["LOW"], 4, b"\x02")


@pytest.mark.parametrize(
    "user",
    [
        "from numbers import FIRST\nFIRST = 2\nprint(FIRST)\n",
        "from numbers import FIRST\n\ndef f(FIRST):\n    return FIRST\n",
        "from numbers import FIRST\n\ndef f():\n    global FIRST\n    FIRST = 3\n",
        "from numbers import FIRST\n\ndef f():\n    FIRST = 3\n    return FIRST\n",
        "from numbers import FIRST\nprint(f'{FIRST}')\n",
        "from numbers import FIRST\nfor FIRST in range(3):\n    print(FIRST)\n",
    ],
)
def test_a_name_that_may_be_something_else_stays(user: str) -> None:
    numbers, after = rewritten(user)
    assert after == user
    assert "FIRST = 1" in numbers


@pytest.mark.parametrize(
    "user",
    [
        "import numbers\nprint(numbers.FIRST)\n",
        "def f():\n    from numbers import FIRST\n    return FIRST\n",
    ],
)
def test_a_definition_that_somebody_reads_otherwise_stays(user: str) -> None:
    numbers, after = rewritten(user)
    assert after == user
    assert "FIRST = 1" in numbers


def test_another_name_for_a_number_is_a_number_too() -> None:
    _, user = rewritten("from numbers import FIRST as START\nprint(START)\n")
    assert user == "\nprint(1)\n"


class Replaced(ast.NodeTransformer):
    """An opinion of its own: the tree with the values that the running module has."""

    def __init__(self, values: dict[str, object]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.AST:
        value = self.values.get(node.id)
        wanted = isinstance(node.ctx, ast.Load) and node.id.isupper()
        if not wanted or type(value) is not int or not -(1 << 30) <= value < 1 << 30:
            return node
        return ast.parse(str(value), mode="eval").body


def program(text: str, values: dict[str, object]) -> list[str]:
    """The statements of a module without its imports and definitions of numbers, as text."""
    tree = Replaced(values).visit(ast.parse(text))
    return [
        ast.dump(node)
        for node in tree.body
        if not isinstance(node, ast.Import | ast.ImportFrom) and not defines_a_number(node)
    ]


def defines_a_number(node: ast.stmt) -> bool:
    inner = ast.walk(node.value) if isinstance(node, ast.Assign) else iter([node])
    made = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
    return all(isinstance(n, made) or type(getattr(n, "value", "")) is int for n in inner)


@pytest.mark.parametrize("name", [name for name in firmware.sources() if "uptane" in name])
def test_the_firmware_is_the_same_program(name: str) -> None:
    module = firmware.module_of(name)
    before, after = firmware.sources()[name].read_text("utf-8"), firmware.texts()[name]
    values = numbers_of(module, before)
    assert program(after, {}) == program(before, values)
    assert len(after.splitlines()) == len(before.splitlines())


def test_every_module_is_walked_a_few_times_and_not_once_for_each_other_one() -> None:
    """Every process that compiles begins with this: 27 s of it were lost in each."""
    texts = {f"m{n}": f"import m0\nA{n} = {n}\n" + "x = y.z(1)\n" * 200 for n in range(120)}
    begun = process_time()
    inlined(texts)
    assert process_time() - begun < 12  # it takes less than one; by each other one, a minute


def numbers_of(module: str, text: str) -> dict[str, object]:
    """What names in capitals mean in a module, by the modules that define them as they run."""
    values: dict[str, object] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("uptane"):
            told = namespace(str(node.module))
            for alias in node.names:
                values[alias.asname or alias.name] = told.get(alias.name)
    return {**values, **namespace(module)}


def namespace(module: str) -> dict[str, object]:
    try:
        told = dict(vars(importlib.import_module(module)))
    except ImportError:  # drivers import what only a board has
        return {}
    for node in ast.parse(firmware.texts().get(module.replace(".", "/"), "")).body:
        for target in node.targets if isinstance(node, ast.Assign) else ():
            for name in target.elts if isinstance(target, ast.Tuple) else ():
                told.pop(name.id if isinstance(name, ast.Name) else "", None)  # a, b = ... stays
    return told
