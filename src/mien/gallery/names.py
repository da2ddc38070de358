"""What a person may be called."""

import unicodedata

from mien.errors import ConfigError

LONGEST_NAME = 200
_JOINERS = "\u200c\u200d"  # zero-width, but part of names in Persian, Hindi and others
_FORBIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, invisible, half a character, line and paragraph separators


def clean_name(name: str) -> str:
    """The name as a gallery keeps it: without outer spaces, in Unicode's normal form C.

    So ``"Zoë"`` is one person, however its ë was typed. Upper and lower case differ.

    Raises:
        ConfigError: It is empty, longer than 200 characters, or holds characters that can't be seen.
    """
    cleaned = unicodedata.normalize("NFC", name).strip()
    if not any(unicodedata.category(character)[0] in "LNPS" for character in cleaned):
        raise _refused(name, "is empty")
    if len(cleaned) > LONGEST_NAME:
        raise _refused(name, f"is longer than {LONGEST_NAME} characters")
    if any(unicodedata.category(c) in _FORBIDDEN and c not in _JOINERS for c in cleaned):
        raise _refused(name, "has control characters or others that can't be seen")
    return cleaned


def _refused(name: str, what: str) -> ConfigError:
    shown = ascii(name if len(name) <= 60 else name[:60] + "…")
    return ConfigError(
        f"The person's name {shown} {what}.", hint="Use a name of visible characters.", code="config.person-name"
    )
