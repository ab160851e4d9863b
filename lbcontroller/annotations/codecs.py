"""How the text of an annotation becomes a value: the general forms.

A codec reads text exactly as the AWS Load Balancer Controller (LBC) does, so that what worked goes on
working, and refuses what is out of range or misspelt, which LBC often lets through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from lbcontroller.errors import did_you_mean, quoted

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

INT32_MIN: Final = -(2**31)
INT32_MAX: Final = 2**31 - 1

_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_FALSE: Final = ("0", "f", "F", "FALSE", "false", "False")
_ANY_TEXT: Final = r"[\s\S]*"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a text."""

    expected: str
    """What was expected, as the rest of a sentence: `must be true or false`."""
    hint: str = ""


class Unreadable(ValueError):  # noqa: N818 - it says what the text is, and never leaves this package
    """A text that a codec refuses, with everything that is wrong with it."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.expected for fault in faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec(Generic[T]):
    """Text to value and back, with what the reference page and the schema say about it."""

    kind: str
    """The form's name."""
    limits: str = ""
    """What is allowed, in words; empty when everything of that form is."""
    pattern: str
    """A regular expression that every accepted text matches as a whole; it may match more."""
    words: tuple[str, ...] = ()
    """All accepted texts, when they can be listed."""
    decode: Callable[[str], T]
    """Returns the value, or raises `Unreadable`."""
    encode: Callable[[T], str]
    """Returns a text that decodes to the value."""

    def accepts(self, raw: str) -> bool:
        """Return whether a text can be read."""
        try:
            self.decode(raw)
        except Unreadable:
            return False
        return True

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the text."""
        if self.words:
            return {"type": "string", "enum": list(self.words)}
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


def form(
    kind: str, limits: str, pattern: str, *, read: Callable[[str], T], write: Callable[[T], str] = str
) -> Codec[T]:
    """Return a codec for texts that match `pattern` and that `read` takes without a `ValueError`."""

    def decode(text: str) -> T:
        try:
            if re.fullmatch(pattern, text, re.ASCII):
                return read(text)
        except Unreadable:
            raise
        except ValueError:
            pass  # the message below says what is allowed, which is more than why `read` refused it
        raise Unreadable(Fault(f"must be {limits}"))

    return Codec(kind=kind, limits=limits, pattern=pattern, decode=decode, encode=write)


def text(pattern: str, limits: str, *, kind: str = "text") -> Codec[str]:
    """Return a codec for texts of a given shape, taken as they stand."""
    return form(kind, limits, pattern, read=str)


ANY_TEXT: Final[Codec[str]] = Codec(kind="text", pattern=_ANY_TEXT, decode=str, encode=str)


def _boolean(raw: str) -> bool:
    if raw in _TRUE:
        return True
    if raw in _FALSE:
        return False
    raise Unreadable(Fault("must be true or false"))


BOOLEAN: Final[Codec[bool]] = Codec(
    kind="boolean",
    limits="`true` or `false`",
    pattern="|".join(_TRUE + _FALSE),
    words=_TRUE + _FALSE,
    decode=_boolean,
    encode=lambda value: str(value).lower(),
)
"""Go's boolean literals."""


def integer(minimum: int = INT32_MIN, maximum: int = INT32_MAX) -> Codec[int]:
    """Return a codec for decimal 32-bit numbers within limits."""

    def read(raw: str) -> int:
        value = int(raw)
        if not minimum <= value <= maximum:
            raise ValueError(raw)
        return value

    # Eleven characters hold every 32-bit number and leading zeros a sane text has.
    return form("integer", f"a whole number from {minimum} to {maximum}", r"[+-]?[0-9]{1,11}", read=read)


def enumeration(enum: type[E], *, only: Iterable[E] = (), fold_case: bool = False) -> Codec[E]:
    """Return a codec for the members of an enumeration, spelled exactly unless `fold_case`."""
    members = tuple(only) or tuple(enum)
    words = tuple(str(member) for member in members)
    either = "|".join(map(_any_case if fold_case else re.escape, words))

    def decode(raw: str) -> E:
        for member in members:
            if raw == member or (fold_case and raw.lower() == member.lower()):
                return member
        raise Unreadable(Fault(f"must be {one_of(words)}", did_you_mean(raw, words)))

    return Codec(
        kind="one of",
        limits=one_of(f"`{word}`" for word in words) + (", in any case" if fold_case else ""),
        pattern=either,
        words=() if fold_case else words,
        decode=decode,
        encode=str,
    )


def _any_case(word: str) -> str:
    """Return a pattern for a word in any case, without the flags that JSON schema does not know."""
    return "".join(f"[{letter.upper()}{letter.lower()}]" for letter in word)


def list_of(item: Codec[T]) -> Codec[tuple[T, ...]]:
    """Return a codec for items between commas; white space around them and empty ones do not count."""

    def decode(raw: str) -> tuple[T, ...]:
        values: list[T] = []
        faults: list[Fault] = []
        for part in filter(None, map(str.strip, raw.split(","))):
            try:
                values.append(item.decode(part))
            except Unreadable as error:
                faults += (
                    Fault(f"item {quoted(part)} {fault.expected}", fault.hint) for fault in error.faults
                )
        if faults:
            raise Unreadable(*faults)
        return tuple(values)

    one = rf"\s*(?:{item.pattern})?\s*"
    return Codec(
        kind="list",
        limits=item.limits and f"each {item.limits}",
        pattern=f"{one}(?:,{one})*",
        decode=decode,
        encode=lambda values: ",".join(map(item.encode, values)),
    )


EntryCheck = Callable[[str, str], Iterable[Fault]]
"""Returns what is wrong with one key and its value."""


def string_map(check: EntryCheck, limits: str = "") -> Codec[Mapping[str, str]]:
    """Return a codec for `key=value` items between commas; a backslash takes the next character literally."""

    def decode(raw: str) -> Mapping[str, str]:
        values: dict[str, str] = {}
        faults: list[Fault] = []
        for item in split_escaped(raw):
            key, separator, value = (part.strip() for part in item.partition("="))
            if separator and key:
                faults += check(key, value)
                values[key] = value
            else:
                faults.append(
                    Fault(f"item {quoted(item)} must be key=value", r"write a comma in a value as \,")
                )
        if faults:
            raise Unreadable(*faults)
        return values

    return Codec(
        kind="map",
        limits=limits,
        pattern=rf"\s*|{_ANY_TEXT}=?{_ANY_TEXT}",
        decode=decode,
        encode=lambda entries: ",".join(f"{_escape(key)}={_escape(value)}" for key, value in entries.items()),
    )


def split_escaped(raw: str) -> list[str]:
    """Return the items of a map, trimmed and with escapes resolved.

    The comma rule is LBC's and kept to the letter: a comma ends an item when something follows it; what
    follows is one last item, commas and all, when no `=` is in it; a comma at the very end belongs to the
    last item.
    """
    items: list[str] = []
    current = ""
    characters = enumerate(raw, start=1)
    for after, character in characters:
        rest = raw[after:].strip()
        if character == "\\" and after < len(raw):
            current += next(characters)[1]
        elif character != "," or not rest:
            current += character
        else:
            items.append(current.strip())
            current = ""
            if "=" not in rest:
                return [*items, rest]
    return [*items, current.strip()] if current.strip() else items


def _escape(raw: str) -> str:
    return raw.replace("\\", "\\\\").replace(",", "\\,")


def one_of(words: Iterable[str]) -> str:
    """Return `a, b or c`."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
