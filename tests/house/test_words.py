"""Names and words: what a thing may be called, and what the repository never says.

Section 4 of the house as far as a program can judge it, and two things that no file may hold: a
private key, and the name of a folder that only its authors have.

It does not judge whether a name is a good one.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.house.source import Source, bites, keep, paths, python, spares, texts

EMPTY_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?)(_|$)")
PATTERNS = re.compile(r"(Manager|Factory|Helpers?|Utils?|Singleton|Impl)$")
# <part>.py or <part>_<platform>.py, or the registers of a chip under its own name.
PARTS = "can|flash|clock|uplink|watchdog|noise|applications|board|romfs"
DRIVER = re.compile(rf"^(__init__|({PARTS})(_[a-z0-9]+)*|[a-z]{{2,}}[0-9]{{3,}}[a-z]*)$")
TEST_WORDS_MIN = 3
WITHOUT_UNIT = re.compile(
    r"(^|_)(timeout|deadline|delay|duration|interval|elapsed|lifetime|latency)$"
)
# Abbreviations of our own: the word is short enough.
ABBREVIATIONS = {
    "mgr": "the noun", "cfg": "config", "ctx": "context", "msg": "message", "pkt": "packet",
    "hdr": "header", "cnt": "count", "idx": "index", "ptr": "pointer", "addr": "address",
    "tmp": "what it is", "ret": "what it is", "retval": "what it is", "repo": "repository",
    "pubkey": "public_key", "privkey": "private_key", "ts": "timestamp", "ver": "version",
    "meth": "method", "func": "function", "dest": "target", "fname": "name", "cb": "callback",
}  # fmt: skip
REPORT_WORDS = re.compile(r"\bECU(?: version)? manifests?\b", re.IGNORECASE)
# Put together here, so that this file does not hold what it forbids.
PRIVATE_KEY = re.compile("-----BEGIN (?:[A-Z0-9]+ )*PRIVATE" + " KEY-----")
AUTHORS_FOLDER = re.compile(r"(?<![\w-])shared" + "/")
MAY_NAME_THE_FOLDER = ("tests/images.py",)
KEY_FILES = {".pem", ".key", ".p12", ".pfx", ".jks"}


def empty_names(source: Source) -> Iterator[str]:
    for part in PurePosixPath(source.path).with_suffix("").parts:
        if EMPTY_NAMES.search(part.lower()):
            yield source.complain(1, f"the name {part} says nothing", "name the domain's noun")


def named_after_a_pattern(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and PATTERNS.search(node.name):
            yield source.complain(
                node, f"{node.name} is named after a pattern", "use the noun of the domain"
            )


def drivers(source: Source) -> Iterator[str]:
    if not DRIVER.match(source.stem):
        yield source.complain(
            1,
            f"{source.stem} is not <part>_<platform>",
            f"rename the driver, or add its part to PARTS in {__name__}",
        )


def claiming_nothing(source: Source) -> Iterator[str]:
    for function in source.functions():
        words = function.name.split("_")
        if words[0] == "test" and len(words) <= TEST_WORDS_MIN:
            yield source.complain(
                function, f"{function.name} claims nothing", "say the claim as a sentence"
            )


def names_given(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Every name that a file gives: functions, classes, variables, parameters."""
    foreign = _shaped_by_others(source.tree)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node, node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node, node.attr
        elif isinstance(node, ast.arg) and id(node) not in foreign:
            yield node, node.arg


def _shaped_by_others(tree: ast.Module) -> set[int]:
    """Parameters of the methods of derived classes, whose names a library may have chosen."""
    return {
        id(node)
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef) and owner.bases
        for node in ast.walk(owner)
        if isinstance(node, ast.arg)
    }


def abbreviations(source: Source) -> Iterator[str]:
    for node, name in names_given(source):
        if name in ("tmp_path", "tmp_path_factory"):  # pytest's own words
            continue
        if name in ("IRQ_TX_IDX_SHIFT", "IRQ_TX_IDX_MASK"):  # of machine.CAN
            continue
        for part in name.lower().strip("_").split("_"):
            if part in ABBREVIATIONS:
                yield source.complain(
                    node, f"{name} abbreviates", f"write {ABBREVIATIONS[part]} for {part}"
                )


def quantities_without_unit(source: Source) -> Iterator[str]:
    for node, name in names_given(source):
        if WITHOUT_UNIT.search(name.lower()):
            yield source.complain(
                node, f"{name} has no unit", f"put the unit last, as in {name}_ms"
            )


def bare_manifests(source: Source) -> Iterator[str]:
    cure = "say version report for an ECU, vehicle version manifest for a vehicle"
    if source.stem == "manifest" and not re.fullmatch(r"boards/[^/]+/manifest\.py", source.path):
        yield source.complain(1, "a file called manifest that freezes nothing", cure)
    for node, name in names_given(source):
        if re.fullmatch(r"(ecu_)?manifests?", name.lower()):
            yield source.complain(node, f"{name} alone is MicroPython's freeze list", cure)


def reports_called_manifests(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.lines, 1):
        if found := REPORT_WORDS.search(line):
            yield source.complain(number, f"'{found[0]}'", "an ECU sends a version report")


def private_keys(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.lines, 1):
        if PRIVATE_KEY.search(line):
            yield source.complain(
                number, "a private key", "make test keys from a seed when the test runs"
            )


def authors_folder(source: Source) -> Iterator[str]:
    if source.path in MAY_NAME_THE_FOLDER:
        return
    for number, line in enumerate(source.lines, 1):
        if AUTHORS_FOLDER.search(line):
            yield source.complain(
                number,
                "a folder that a user does not have",
                "cite a rule of docs/rules.toml or a public source; firmware images come from "
                "tests/images.py",
            )


# --- the laws ---------------------------------------------------------------------------------


def test_every_module_is_named_after_its_domain() -> None:
    keep(empty_names, texts())


def test_no_class_is_named_after_a_pattern() -> None:
    keep(named_after_a_pattern, python())


def test_drivers_are_named_by_part_and_platform() -> None:
    keep(drivers, python("firmware/uptane/port"))


def test_tests_are_named_after_their_claim() -> None:
    keep(claiming_nothing, python("tests"))


def test_names_are_words() -> None:
    keep(abbreviations, python())


def test_quantities_have_units() -> None:
    keep(quantities_without_unit, python("firmware", "host", "boards"))


def test_manifest_alone_is_the_freeze_list() -> None:
    keep(bare_manifests, python("firmware", "host", "boards"))
    keep(reports_called_manifests, [s for s in texts() if s.stem != "test_words"])


def test_there_is_no_private_key() -> None:
    keep(private_keys, texts())
    files = [path for path in paths() if PurePosixPath(path).suffix in KEY_FILES]
    assert not files, f"{files}: key files. Cure: make keys when they are needed."


def test_nothing_names_the_folder_of_its_authors() -> None:
    keep(authors_folder, texts())


# --- each law bites -----------------------------------------------------------------------------


def test_the_laws_of_names_bite() -> None:
    host = "host/muptane/oem/keys.py"
    bites(empty_names, "host/muptane/oem/utils.py", "")
    bites(empty_names, "host/muptane/cli_helpers/demo.py", "")
    spares(empty_names, "host/muptane/oem/commons_law.py", "")
    bites(named_after_a_pattern, host, "class KeyManager: pass\n")
    bites(drivers, "firmware/uptane/port/rp2_flash.py", "")
    spares(drivers, "firmware/uptane/port/flash_rp2.py", "")
    spares(drivers, "firmware/uptane/port/mcp2515.py", "")
    bites(claiming_nothing, "tests/host/test_a.py", "def test_loads_ok(): pass\n")
    bites(abbreviations, host, "def send(msg): pass\n")
    bites(abbreviations, host, "key_idx = 1\n")
    bites(quantities_without_unit, host, "def wait(self, timeout): pass\n")
    spares(quantities_without_unit, host, "def wait(self, timeout_ms): pass\n")
    spares(quantities_without_unit, host, "class A(B):\n    def wait(self, timeout): pass\n")


def test_the_laws_of_words_bite() -> None:
    host = "host/muptane/oem/keys.py"
    bites(bare_manifests, host, "def read(manifest): pass\n")
    bites(bare_manifests, "host/muptane/oem/manifest.py", "")
    spares(bare_manifests, host, "def read(vehicle_manifest): pass\n")
    bites(reports_called_manifests, "README.md", "Each ECU manifest is signed.\n")
    bites(private_keys, "docs/a.md", "-----BEGIN EC PRIVATE" + " KEY-----\n")
    bites(authors_folder, "docs/a.md", "see ../shared" + "/notes.md\n")
    spares(authors_folder, "docs/a.md", "a folder that is shared\n")
