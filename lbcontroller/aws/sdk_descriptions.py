"""What botocore has to know about the services: read once per process, and of each no more than is called.

botocore makes a client from the description of a whole service. That of EC2 has more than 800 operations, of
which a dozen are called; the others would cost 7 MB and half of the time that making a client takes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import PurePath
from typing import Any, Final

import botocore.session

from lbcontroller.aws.operations import OPERATIONS, AwsService

_KEPT_WHOLE: Final = frozenset({AwsService.STS})
"""botocore itself calls it for credentials."""
_DESCRIPTION: Final = "service-2"
"""Name of the file with the operations and shapes of a service."""

Description = Mapping[str, Any]


@cache
def service_descriptions() -> Any:
    """Return botocore's loader of descriptions, for all sessions."""
    loader: Any = botocore.session.Session().get_component("data_loader")
    loader.file_loader = _OnlyWhatIsCalled(loader.file_loader)
    return loader


class _OnlyWhatIsCalled:
    """Reads files as botocore does, and leaves out what nobody will ask for."""

    def __init__(self, files: Any) -> None:
        self._files = files

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        found: bool = self._files.exists(path)
        return found

    def load_file(self, path: str) -> Any:
        """Return the content of a file; None when there is none."""
        content = self._files.load_file(path)
        called = _called().get(PurePath(path).parts[-3]) if path.endswith(_DESCRIPTION) else None
        return reduced(content, called) if content and called else content


@cache
def _called() -> Mapping[str, frozenset[str]]:
    """Operations by the name of the client."""
    return {
        service.value: frozenset(operation.name for operation in OPERATIONS if operation.service is service)
        for service in AwsService
        if service not in _KEPT_WHOLE
    }


def reduced(description: Description, operations: Collection[str]) -> Description:
    """Return a description of these operations and the shapes of their parameters, answers and errors."""
    kept = {name: operation for name, operation in description["operations"].items() if name in operations}
    shapes: dict[str, Any] = {}
    wanted = list(_references(kept))
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = description["shapes"][name]
            wanted += _references(shapes[name])
    return {**description, "operations": kept, "shapes": shapes}


def _references(node: object) -> Iterator[str]:
    """Yield the names of the shapes that a part of a description refers to."""
    match node:
        case Mapping():
            for key, value in node.items():
                if key == "shape" and isinstance(value, str):
                    yield value
                else:
                    yield from _references(value)
        case list():
            for item in node:
                yield from _references(item)
