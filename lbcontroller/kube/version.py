"""Which Kubernetes release the API server is."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import aiohttp

from lbcontroller.errors import Transient

_NUMBER: Final = re.compile(r"\d+", re.ASCII)


class Release(NamedTuple):
    """A release of Kubernetes, to be compared."""

    major: int
    minor: int


async def read_release(session: aiohttp.ClientSession) -> Release:
    """Return the release of the API server.

    Raises:
        Transient: it did not say.
    """
    try:
        async with session.get("version", raise_for_status=True) as answer:
            version = await answer.json()
        # Providers write minor versions such as `30+`.
        major, minor = (_NUMBER.match(str(version[part])) for part in ("major", "minor"))
    except (aiohttp.ClientError, TimeoutError, KeyError, TypeError, ValueError) as error:
        raise Transient(f"the API server does not tell its version: {error}") from error
    if major is None or minor is None:
        raise Transient(f"the API server does not tell its version: {version}")
    return Release(int(major[0]), int(minor[0]))
