"""A PDX file of an ECU: what its diagnostics are, for the tools that read ODX 2.2.

`write_pdx` makes a diagnostic layer of the table in `muptane.diagnostics`. Identifiers on the bus
are in the description, for ODX keeps them in a vehicle's own file.
Source: ISO 22901-1 (ODX 2.2).
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.etree import ElementTree as tree

from muptane.diagnostics import KINDS, SERVICES, U8, Kind, Part, Service
from uptane.uds import codes

XSI = "http://www.w3.org/2001/XMLSchema-instance"
TYPE = f"{{{XSI}}}type"
VERSION = "2.2.0"
DATE = "2026-01-01T00:00:00"
DATA_FILE = "muptane.odx-d"
REFUSED = (Part("service", U8), Part("code", U8))


def write_pdx(path: Path, ecu: str, description: str) -> None:
    """Write the diagnostics of the ECU called `ecu` (letters, digits, _) to a file. OSError."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pdx:
        pdx.writestr(zipfile.ZipInfo(DATA_FILE), _text(_layers(ecu, description)))
        pdx.writestr(zipfile.ZipInfo("index.xml"), _text(_catalogue()))


def _text(root: tree.Element) -> bytes:
    tree.indent(root)
    return bytes(tree.tostring(root, encoding="UTF-8", xml_declaration=True))


def _node(parent: tree.Element, tag: str, text: str = "", **attributes: str) -> tree.Element:
    """A child; attributes are named with _ for -, and xsi_type for the type of the schema."""
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    if "xsi-type" in named:
        named[TYPE] = named.pop("xsi-type")
    child = tree.SubElement(parent, tag, named)
    child.text = text or None
    return child


def _layers(ecu: str, description: str) -> tree.Element:
    """The services in a base variant, and the ECU as a variant of it."""
    root = tree.Element("ODX", {"MODEL-VERSION": VERSION})
    container = _node(root, "DIAG-LAYER-CONTAINER", ID="muptane")
    _node(container, "SHORT-NAME", "muptane")
    base = _node(_node(container, "BASE-VARIANTS"), "BASE-VARIANT", ID="base")
    _node(base, "SHORT-NAME", "uptane_ecu")
    kinds = _node(_node(base, "DIAG-DATA-DICTIONARY-SPEC"), "DATA-OBJECT-PROPS")
    for kind in KINDS:
        _kind(kinds, kind)
    comms = _node(base, "DIAG-COMMS")
    requests = _node(base, "REQUESTS")
    responses = _node(base, "POS-RESPONSES")
    for service in SERVICES:
        _service(comms, service)
        _message(requests, "REQUEST", service.name, service.number, service.request)
        number = service.number + codes.POSITIVE
        _message(responses, "POS-RESPONSE", service.name, number, service.response)
    refused = _node(base, "NEG-RESPONSES")
    _message(refused, "NEG-RESPONSE", "negative", codes.NEGATIVE_RESPONSE, REFUSED)
    variant = _node(_node(container, "ECU-VARIANTS"), "ECU-VARIANT", ID=f"ecu.{ecu}")
    _node(variant, "SHORT-NAME", ecu)
    _node(_node(variant, "DESC"), "p", description)
    parents = _node(variant, "PARENT-REFS")
    _node(parents, "PARENT-REF", ID_REF="base", xsi_type="BASE-VARIANT-REF")
    return root


def _service(comms: tree.Element, service: Service) -> None:
    node = _node(comms, "DIAG-SERVICE", ID=f"service.{service.name}")
    _node(node, "SHORT-NAME", service.name)
    _node(node, "REQUEST-REF", ID_REF=f"REQUEST.{service.name}")
    positive = _node(node, "POS-RESPONSE-REFS")
    _node(positive, "POS-RESPONSE-REF", ID_REF=f"POS-RESPONSE.{service.name}")
    _node(_node(node, "NEG-RESPONSE-REFS"), "NEG-RESPONSE-REF", ID_REF="NEG-RESPONSE.negative")


def _message(
    parent: tree.Element, tag: str, name: str, first: int, parts: tuple[Part, ...]
) -> None:
    """A request or a response: its service, then its parts, one behind the other."""
    node = _node(parent, tag, ID=f"{tag}.{name}")
    _node(node, "SHORT-NAME", f"{tag.lower().replace('-', '_')}_{name}")
    params = _node(node, "PARAMS")
    at = 0
    for part in (Part("service_id", U8, first), *parts):
        kind = "VALUE" if part.value is None else "CODED-CONST"
        param = _node(params, "PARAM", xsi_type=kind)
        _node(param, "SHORT-NAME", part.name)
        _node(param, "BYTE-POSITION", str(at))
        if part.value is None:
            _node(param, "DOP-REF", ID_REF=f"kind.{part.kind.name}")
        else:
            _node(param, "CODED-VALUE", str(part.value))
            _coded(param, part.kind)
        at += part.kind.bytes


def _kind(parent: tree.Element, kind: Kind) -> None:
    node = _node(parent, "DATA-OBJECT-PROP", ID=f"kind.{kind.name}")
    _node(node, "SHORT-NAME", kind.name)
    _node(_node(node, "COMPU-METHOD"), "CATEGORY", "IDENTICAL")
    _coded(node, kind)
    text = kind.base == "A_ASCIISTRING"
    _node(node, "PHYSICAL-TYPE", BASE_DATA_TYPE="A_UNICODE2STRING" if text else kind.base)


def _coded(parent: tree.Element, kind: Kind) -> None:
    """How it lies in the message."""
    encoding = {"BASE_TYPE_ENCODING": "ISO-8859-1"} if kind.base == "A_ASCIISTRING" else {}
    common = {"BASE_DATA_TYPE": kind.base, **encoding}
    if kind.bytes:
        node = _node(parent, "DIAG-CODED-TYPE", xsi_type="STANDARD-LENGTH-TYPE", **common)
        _node(node, "BIT-LENGTH", str(8 * kind.bytes))
    else:
        rest = {"xsi_type": "MIN-MAX-LENGTH-TYPE", "TERMINATION": "END-OF-PDU"}
        _node(_node(parent, "DIAG-CODED-TYPE", **rest, **common), "MIN-LENGTH", "0")


def _catalogue() -> tree.Element:
    """What is in the archive."""
    root = tree.Element("CATALOG", {"F-DTD-VERSION": "ODX-2.2.0"})
    _node(root, "SHORT-NAME", "muptane")
    block = _node(_node(root, "ABLOCKS"), "ABLOCK", UPD="UNCHANGED")
    _node(block, "SHORT-NAME", "diagnostics")
    _node(block, "CATEGORY", "ODX-DATA")
    mime = "application/x-asam.odx.odx-d"
    _node(_node(block, "FILES"), "FILE", DATA_FILE, MIME_TYPE=mime, CREATION_DATE=DATE)
    return root
