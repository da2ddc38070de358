"""The `.bin` files of insightface, read without unpickling.

They are pickles of two lists: the bytes of 2·P picture files, and P labels. A pickle is a program that can do anything
when it is loaded. Here its instructions are only looked at: those that make lists, tuples, bytes, numbers and text are
followed, calls are answered for the few functions that make bytes out of something else, and everything else is
refused. Nothing is imported or called, whatever the file says.
"""

import codecs
import io
import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import InputError


def read_photo_pickle(path: str | Path) -> tuple[list[bytes], list[bool]]:
    """Read the pictures and labels of a `.bin` file.

    Args:
        path: A pickle of any protocol (0 to 5), made by Python 2 or 3.

    Returns:
        The bytes of 2·P picture files, and for each two of them in a row whether they show one person.

    Raises:
        InputError: If the file can't be read, is truncated, or holds anything but two such lists.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}.", code="input.bin") from error
    try:
        return _photos_and_labels(_Follower().follow(data))
    except _RefusedError as error:
        raise InputError(
            f"{path} is not a file of photo pairs: {error}. Nothing in it was run.",
            hint="insightface's .bin files hold two lists: pictures, and whether each two of them show one person.",
            code="input.bin",
        ) from error


class _RefusedError(ValueError):
    """Why a file is not followed any further."""


@dataclass(frozen=True, slots=True)
class _Name:
    """Something that the file wants to import, and that stays a name."""

    of: str


@dataclass(slots=True)
class _Array:
    """A NumPy array; its bytes come after it was made."""

    data: bytes = b""


@dataclass(slots=True)
class _DType:
    """A NumPy type, such as ``"u1"``."""

    code: str


_ONE_BYTE = ("u1", "b1")


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding != "latin1":
        raise _RefusedError(f"it encodes text as {encoding!r}")
    return text.encode("latin1")


def _dtype(code: str | bytes, *_: object) -> _DType:
    code = code.decode("latin1") if isinstance(code, bytes) else code  # as Python 2 wrote it
    if code.lstrip("|") not in _ONE_BYTE:
        raise _RefusedError(f"it holds arrays of {code!r} instead of bytes")
    return _DType(code.lstrip("|"))


def _frombuffer(data: bytes, dtype: _DType, shape: tuple[int, ...], *_: object) -> _Array:
    return _checked(_Array(data), dtype, shape)


def _checked(array: _Array, dtype: _DType, shape: tuple[int, ...]) -> _Array:
    if not (isinstance(dtype, _DType) and isinstance(array.data, bytes) and max(shape) == len(array.data)):
        raise _RefusedError("an array's bytes are not as many as it says")
    return array


_ANSWERS: dict[str, Callable[..., Any]] = {
    "_codecs encode": _encode,  # how protocols 0 to 2 write bytes
    "numpy dtype": _dtype,
    **{
        f"numpy.{core}.{name}": answer
        for core in ("core", "_core")
        for name, answer in (
            ("multiarray _reconstruct", lambda *_: _Array()),
            ("multiarray scalar", lambda _, data: data != b"\0"),
            ("numeric _frombuffer", _frombuffer),
        )
    },
}
_NAMES = frozenset((*_ANSWERS, "numpy ndarray"))


_BY_CODE = {opcode.code: opcode for opcode in pickletools.opcodes}


def _instructions(stream: io.BytesIO) -> Iterator[tuple[str, Any]]:
    """The name and the argument of each instruction; ValueError where there is none, or it has no end."""
    while code := stream.read(1):
        opcode = _BY_CODE.get(code.decode("latin1"))
        if opcode is None:
            raise ValueError(f"{code!r} is no instruction")
        if opcode.name == "STRING":  # pickletools takes ASCII only, and Python 2 wrote bytes
            line = stream.readline().rstrip(b"\n")
            if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
                raise ValueError("a string without quotes")
            yield "STRING", codecs.escape_decode(line[1:-1])[0]
        else:
            yield opcode.name, opcode.arg.reader(stream) if opcode.arg else None
        if opcode.name == "STOP":
            return
    raise ValueError("the end is missing")


class _Follower:
    """The stack and the memo of a pickle, and what each instruction that is followed does to them."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def follow(self, data: bytes) -> object:
        """Do what the instructions say, up to the last; what is left is what the file holds."""
        opcode = None
        try:
            for opcode, argument in _instructions(io.BytesIO(data)):
                if opcode not in _STEPS:
                    raise _RefusedError(f"it has the instruction {opcode}, which lists of photos have no need of")
                _STEPS[opcode](self, argument)
            return self.stack.pop()
        except _RefusedError:
            raise
        except (ValueError, OverflowError, MemoryError) as error:
            raise _RefusedError("it is no pickle" if opcode is None else "it is damaged or ends too early") from error
        except (IndexError, KeyError, TypeError, AttributeError) as error:
            raise _RefusedError("its instructions make no sense") from error

    def push(self, item: object) -> None:
        self.stack.append(item)

    def mark(self, _: object) -> None:
        self.marks.append(len(self.stack))

    def since_mark(self) -> list[Any]:
        at = self.marks.pop()
        items = self.stack[at:]
        del self.stack[at:]
        return items

    def last(self, count: int) -> tuple[Any, ...]:
        if count > len(self.stack):
            raise IndexError
        items = tuple(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        return items

    def append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise TypeError
        target.extend(items)

    def keep(self, place: int | None) -> None:
        self.memo[len(self.memo) if place is None else place] = self.stack[-1]

    def name(self, name: str) -> None:
        """Refuse what has no place in lists of photos; of the rest only the name is kept."""
        name = name.replace("__builtin__", "builtins")
        if name not in _NAMES:
            raise _RefusedError(f"it wants to load {name.replace(' ', '.')}, which lists of photos have no need of")
        self.push(_Name(name))

    def call(self, _: object) -> None:
        function, arguments = self.last(2)
        self.push(_ANSWERS[function.of](*arguments))

    def build(self, _: object) -> None:
        state = self.stack.pop()
        built = self.stack[-1]
        if isinstance(built, _Array):
            _, shape, dtype, _, built.data = state
            _checked(built, dtype, shape)
        elif not isinstance(built, _DType):  # the byte order and fields of a type of one byte say nothing
            raise TypeError


_STEPS: dict[str, Callable[[_Follower, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda *_: None),
    "MARK": _Follower.mark,
    "EMPTY_LIST": lambda on, _: on.push([]),
    "EMPTY_TUPLE": lambda on, _: on.push(()),
    "LIST": lambda on, _: on.push(on.since_mark()),
    "TUPLE": lambda on, _: on.push(tuple(on.since_mark())),
    "TUPLE1": lambda on, _: on.push(on.last(1)),
    "TUPLE2": lambda on, _: on.push(on.last(2)),
    "TUPLE3": lambda on, _: on.push(on.last(3)),
    "APPEND": lambda on, _: on.append(list(on.last(1))),
    "APPENDS": lambda on, _: on.append(on.since_mark()),
    "NEWTRUE": lambda on, _: on.push(True),
    "NEWFALSE": lambda on, _: on.push(False),
    "NONE": lambda on, _: on.push(None),
    "STRING": _Follower.push,
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2"), _Follower.push),
    **dict.fromkeys(("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), _Follower.push),
    **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING"), lambda on, text: on.push(text.encode("latin1"))),
    **dict.fromkeys(("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"), lambda on, data: on.push(bytes(data))),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _Follower.keep),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda on, place: on.push(on.memo[place])),
    "GLOBAL": _Follower.name,
    "STACK_GLOBAL": lambda on, _: on.name(" ".join(on.last(2))),
    "REDUCE": _Follower.call,
    "BUILD": _Follower.build,
}


def _photos_and_labels(found: object) -> tuple[list[bytes], list[bool]]:
    if not (isinstance(found, tuple | list) and len(found) == 2 and all(isinstance(part, list) for part in found)):
        raise _RefusedError("it holds something else than two lists")
    photos = [item.data if isinstance(item, _Array) else item for item in found[0]]
    labels = found[1]
    if not (photos and all(isinstance(photo, bytes) and photo for photo in photos)):
        raise _RefusedError("its first list is not one of pictures")
    if not all(isinstance(label, int) and label in (0, 1) for label in labels):
        raise _RefusedError("its second list is not one of yes and no")
    if len(photos) != 2 * len(labels):
        raise _RefusedError(f"it has {len(photos)} pictures for {len(labels)} pairs")
    return photos, [bool(label) for label in labels]
