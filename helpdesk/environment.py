"""Settings are read from the environment, by kind, and a wrong one stops the program with a sentence.

Each reader also writes down what it read in `DOCUMENTED`, so that the README's table can be checked against the code.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

T = TypeVar("T")

YES = {"1", "on", "yes", "true"}
NO = {"0", "off", "no", "false"}


@dataclass(frozen=True)
class Setting:
    """One line of the README's table of settings."""

    name: str
    default: str
    meaning: str


class WrongSetting(SystemExit):
    """Printed as it is; the program ends with status 1."""


DOCUMENTED: dict[str, Setting] = {}


def text(name: str, default: str, meaning: str) -> str:
    return _read(name, default, meaning, lambda raw: raw)


def integer(name: str, default: int, meaning: str, *, least: int = 0, most: int = 10**9) -> int:
    def parse(raw: str) -> int:
        number = int(raw)
        if not least <= number <= most:
            raise ValueError
        return number

    return parse(_read(name, str(default), meaning, _checked(parse, f"a whole number from {least} to {most}")))


def flag(name: str, default: bool, meaning: str) -> bool:
    def parse(raw: str) -> bool:
        if raw.lower() not in YES | NO:
            raise ValueError
        return raw.lower() in YES

    return parse(_read(name, "on" if default else "off", meaning, _checked(parse, "on or off")))


def choice(name: str, default: str, meaning: str, *, among: Sequence[str]) -> str:
    def parse(raw: str) -> str:
        if raw not in among:
            raise ValueError
        return raw

    return _read(name, default, meaning, _checked(parse, f"one of {', '.join(among)}"))


def items(
    name: str,
    default: str,
    meaning: str,
    *,
    shown: bool = True,
    accept: Callable[[str], bool] = bool,
    expected: str = "a list parted by commas",
) -> list[str]:
    """A list parted by commas, of what `accept` agrees to; blanks around an item and empty items are dropped."""

    def parse(raw: str) -> list[str]:
        found = [item.strip() for item in raw.split(",") if item.strip()]
        if not all(map(accept, found)):
            raise ValueError
        return found

    return parse(_read(name, default, meaning, _checked(parse, expected), shown=shown))


def is_host(item: str) -> bool:
    """As Django's ALLOWED_HOSTS takes them: a name, a dot and a name, an address (IPv6 in brackets), or *."""
    if item == "*":
        return True
    try:
        if item.startswith("[") and item.endswith("]"):
            return bool(ipaddress.IPv6Address(item[1:-1]))
        if re.fullmatch(r"[0-9.]+", item):
            return bool(ipaddress.IPv4Address(item))
    except ValueError:
        return False
    return len(item) < 255 and bool(re.fullmatch(rf"\.?{_LABEL}(\.{_LABEL})*", item))


_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"


def url(
    name: str, default: str, meaning: str, *, schemes: Sequence[str], example: str, shown: bool = True
) -> SplitResult | None:
    """None when the setting is empty. `shown` is False for an address that may hold a password."""

    def parse(raw: str) -> SplitResult | None:
        if not raw:
            return None
        parts = urlsplit(raw)
        _ = parts.port  # raises for a port that is no number
        if parts.scheme not in schemes:
            raise ValueError
        return parts

    return parse(_read(name, default, meaning, _checked(parse, f"an address like {example}"), shown=shown))


def secret(name: str, meaning: str, *, default_shown: str, least_length: int) -> str:
    """The value never appears in a message. Empty when it is not set."""

    def parse(raw: str) -> str:
        if raw and len(raw) < least_length:
            raise ValueError
        return raw

    expected = f"at least {least_length} characters"
    return _read(name, "", meaning, _checked(parse, expected), shown=False, default_shown=default_shown)


def matching(name: str, default: str, meaning: str, *, accept: Callable[[str], bool], expected: str) -> str:
    """A text that `accept` agrees to; `expected` says in words what that is."""

    def parse(raw: str) -> str:
        if not accept(raw):
            raise ValueError
        return raw

    return _read(name, default, meaning, _checked(parse, expected))


def refuse(name: str, problem: str) -> WrongSetting:
    """The error for a setting that is well-formed and still cannot be: `raise refuse(...)`."""
    return WrongSetting(f"The setting {name} {problem}")


def document(name: str, *, default: str) -> None:
    """Says in words what the default of `name` is, where it depends on other settings."""
    DOCUMENTED[name] = Setting(name, default, DOCUMENTED[name].meaning)


def is_set(name: str) -> bool:
    return bool(os.environ.get(name, "").strip())


class _Unacceptable(ValueError):
    """Carries what was expected, in words."""


def _checked(parse: Callable[[str], T], expected: str) -> Callable[[str], T]:
    def checked(raw: str) -> T:
        try:
            return parse(raw)
        except ValueError as problem:
            raise _Unacceptable(expected) from problem

    return checked


def _read(
    name: str,
    default: str,
    meaning: str,
    check: Callable[[str], object],
    *,
    shown: bool = True,
    default_shown: str | None = None,
) -> str:
    DOCUMENTED[name] = Setting(name, default if default_shown is None else default_shown, meaning)
    raw = os.environ.get(name, "").strip() or default
    try:
        check(raw)
    except _Unacceptable as unacceptable:
        found = repr(_without_controls(raw)) if shown else "a value that is not shown here"
        raise WrongSetting(f"The setting {name} is {found}, but it must be {unacceptable}.") from None
    return raw


def _without_controls(raw: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", " ", raw)[:200]
