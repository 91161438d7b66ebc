"""Who asks: a vehicle, by its token or by its client certificate.

A token is 256 random bits, made for one vehicle, told once and kept as its SHA-256 only; the
newest counts, so making one ends the one before. Its rows stand in a database of their own
(access.sqlite), since the inventory is not the place for a way in. A certificate that the TLS
layer has verified names its vehicle as the only common name of its subject.
It does not say what a vehicle may do: that is its own part of the API and nothing else.
Rules: R-32, R-33, E-74.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

TOKEN_BYTES = 32
BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,128}=*)", re.IGNORECASE)  # RFC 6750, 2.1
DATABASE = "access.sqlite"


class Base(DeclarativeBase):
    pass


class TokenMade(Base):
    """A token of a vehicle, or without a digest: from here on it has none."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    vehicle_id: Mapped[str] = mapped_column(index=True)
    digest: Mapped[bytes | None] = mapped_column(unique=True)
    made_s: Mapped[int]


class Tokens:
    """The tokens of the vehicles of the office in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._engine = create_engine(f"sqlite:///{folder / DATABASE}")
        Base.metadata.create_all(self._engine)

    def make(self, vehicle: str, now: int) -> str:
        """A new token; the one before is worth nothing any more. Whether there is such a vehicle
        is for the caller to know."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._add(vehicle, _digest(token), now)
        return token

    def revoke(self, vehicle: str, now: int) -> None:
        """From now on the vehicle has no token."""
        self._add(vehicle, None, now)

    def vehicle_of(self, token: str) -> str | None:
        """The vehicle that it was made for, if it is the newest one."""
        with Session(self._engine) as session:
            made = session.scalars(
                select(TokenMade).where(TokenMade.digest == _digest(token))
            ).first()
            if made is None:
                return None
            query = select(func.max(TokenMade.id)).where(TokenMade.vehicle_id == made.vehicle_id)
            return made.vehicle_id if session.scalar(query) == made.id else None

    def close(self) -> None:
        self._engine.dispose()

    def _add(self, vehicle: str, digest: bytes | None, now: int) -> None:
        with Session(self._engine) as session:
            session.add(TokenMade(vehicle_id=vehicle, digest=digest, made_s=now))
            session.commit()


def bearer(field: str) -> str | None:
    """The token of an Authorization field; None: it is none of that kind."""
    found = BEARER.fullmatch(field)
    return None if found is None else found[1]


def named(certificate: Mapping[str, Any]) -> str | None:
    """The vehicle that a verified certificate names, as ssl.SSLSocket.getpeercert tells of it;
    None: there is no certificate, or not exactly one common name."""
    names = [
        value
        for part in certificate.get("subject", ())
        for key, value in part
        if key == "commonName"
    ]
    return names[0] if len(names) == 1 else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
