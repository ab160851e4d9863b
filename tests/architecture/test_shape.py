"""The shape of the code: sizes, names, owners."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

from lbcontroller.aws.errors import REACTIONS
from lbcontroller.aws.operations import AwsService
from lbcontroller.local.aws.wire import sdk
from tests.support.source import PACKAGE, Function, Module, modules

LONGEST_MODULE = 500
LONGEST_FUNCTION = 60
MOST_PARAMETERS = 6
FORBIDDEN_WORDS = frozenset(
    {
        "actual",
        "dto",
        "handler",
        "helper",
        "helpers",
        "manager",
        "misc",
        "sync",
        "synthesize",
        "util",
        "utils",
    }
)
"""Words that say nothing, or that say what another word of this project says."""
FORBIDDEN_MODULES = FORBIDDEN_WORDS | {"common"}
NAMED_BY_OTHERS = {
    "sync_period": "a flag of LBC",
    "manager": "Kubernetes: managedFields[].manager",
    "default_manager": "Kubernetes: managedFields[].manager",
    "MANAGER": "Kubernetes: managedFields[].manager",
    "handler": "logging.Handler",
    "_Handler": "wsgiref.simple_server.WSGIRequestHandler",
}
ENTRY_POINT = "__main__.py"
READ_BY_TESTS = {
    "OPERATIONS": "the IAM policies are compared with it",
    "FIELD_NAMES": "the fields of log lines are compared with it",
}
"""Names that the package itself has no use for."""
EMBEDDED = "local/"
"""The embedded servers speak the protocols that the controller is a client of."""
ERROR_CODES = "aws/errors.py"
_EC2_CODE = re.compile(r"[A-Z]\w+\.(NotFound|Malformed|InUse|Duplicate|LimitExceeded)")
"""EC2's service model lists no errors."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SUPPRESSION = re.compile(r"#\s*(noqa|type: ?ignore)\b(?:: ?[A-Z0-9, ]+|\[[\w, -]+\])?(?P<reason>.*)")
_TESTS = Path(__file__).parents[1]


def parameters(function: Function) -> int:
    """Count the parameters a caller can give; `self` and `cls` are none."""
    given = function.args
    listed = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    listed += [argument for argument in (given.vararg, given.kwarg) if argument is not None]
    return sum(1 for argument in listed if argument.arg not in ("self", "cls"))


def test_modules_are_short() -> None:
    assert [module.where for module in modules() if len(module.text.splitlines()) > LONGEST_MODULE] == []


def test_functions_are_short() -> None:
    assert [
        f"{module.where}:{function.lineno} {function.name}"
        for module in modules()
        for function in module.functions()
        if (function.end_lineno or 0) - function.lineno + 1 > LONGEST_FUNCTION
    ] == []


def test_functions_have_few_parameters() -> None:
    assert [
        f"{module.where}:{function.lineno} {function.name}"
        for module in modules()
        for function in module.functions()
        if parameters(function) > MOST_PARAMETERS
    ] == []


def test_names_say_something() -> None:
    assert [
        f"{module.where}:{line} {name}"
        for module in modules()
        for name, line in module.names()
        if words(name) & FORBIDDEN_WORDS and name not in NAMED_BY_OTHERS
    ] == []
    assert [module.where for module in modules() if words(module.where) & FORBIDDEN_MODULES] == []


def words(name: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(name)}


def test_only_the_session_makes_clients_of_aws() -> None:
    assert {
        module.where
        for module in modules()
        if any(name == "boto3" or name.startswith("boto3.") for name in module.imports())
    } == {"aws/session.py"}


def test_only_one_module_knows_the_error_codes_of_aws() -> None:
    codes = {*REACTIONS, *modelled_error_codes()}
    assert [
        f"{module.where}:{line} {text}"
        for module in modules()
        if module.where != ERROR_CODES and not module.where.startswith(EMBEDDED)
        for text, line in module.strings()
        if text in codes or _EC2_CODE.fullmatch(text)
    ] == []


def modelled_error_codes() -> set[str]:
    session = sdk()
    return {
        shape.metadata.get("error", {}).get("code", shape.name)
        for service in AwsService
        for shape in session.get_service_model(service.value).error_shapes
    }


def test_nothing_is_printed() -> None:
    assert [
        f"{module.where}:{node.lineno}"
        for module in modules()
        for node in module.nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ] == []


def test_every_suppressed_warning_has_its_reason() -> None:
    assert [
        f"{path.relative_to(PACKAGE.parent)}:{comment.start[0]} {comment.string}"
        for folder in (PACKAGE, _TESTS)
        for path in sorted(folder.rglob("*.py"))
        for comment in comments(path)
        if (found := _SUPPRESSION.search(comment.string)) and not found["reason"].strip(" -#")
    ] == []


def comments(path: Path) -> list[tokenize.TokenInfo]:
    text = path.read_text(encoding="utf-8")
    if not _SUPPRESSION.search(text):
        return []  # the tokenizer takes long
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token for token in tokens if token.type == tokenize.COMMENT]


def test_every_module_is_used_by_another_one() -> None:
    imported = {name for module in modules() for name in module.imports() if name != module.name}
    assert [
        module.where
        for module in modules()
        if module.path.name not in ("__init__.py", ENTRY_POINT)
        and module.name not in imported
        and not (module.where.startswith(EMBEDDED) and is_tested(module))
    ] == []


def is_tested(module: Module) -> bool:
    """Return whether a test imports the module."""
    mentioning = (
        Module(path) for path in _TESTS.rglob("*.py") if module.path.stem in path.read_text("utf-8")
    )
    return any(module.name in test.imports() for test in mentioning)


def test_every_public_name_of_a_module_is_used() -> None:
    used = {name for module in modules() for name in module.uses()}
    assert [
        f"{module.where} {name}"
        for module in modules()
        if not module.where.startswith(EMBEDDED)
        for name in module.public_names()
        if name not in used and name not in READ_BY_TESTS
    ] == []
