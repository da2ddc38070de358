"""Opens a card's network: finds its weights, makes a graph of them, compiles it, and checks what it gives."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConfigError, MienError, MissingExtraError, ModelError
from mien.models.card import ModelCard
from mien.models.files import find_weights
from mien.models.graph_cache import kept, read_kept, untrusted_folder
from mien.models.network import Network
from mien.models.onnxruntime_network import OnnxruntimeNetwork
from mien.models.openvino_network import OpenvinoNetwork

RUNTIMES = ("auto", "onnxruntime", "openvino")
PRECISIONS = ("f32", "bf16")
GRAPH_VERSION = 1
"""Part of the key under which a repaired graph is kept; raised whenever the repairs change what they make."""

_open: OrderedDict[tuple[object, ...], Network] = OrderedDict()
_open_limit = 8
_opening = threading.Lock()


class Runner(Protocol):
    """A network ready to run."""

    @property
    def card(self) -> ModelCard:
        """What it is."""
        ...

    @property
    def runtime(self) -> str:
        """What runs it: "onnxruntime" or "openvino"."""
        ...

    @property
    def precision(self) -> str:
        """What it computes in: "f32" or "bf16"."""
        ...

    def run(self, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Run the network; several threads may do so at once.

        Args:
            batch: (N, 3, H, W) float32, N ≥ 1, as the card's input contract says (mean and scale already applied).

        Returns:
            Every output of the graph by name, with N rows each.

        Raises:
            ModelError: The network gave something that isn't what its card says, or isn't a number.
            ValueError: `batch` has another shape or type.
        """
        ...


def open_model(card: ModelCard, *, runtime: str = "auto", precision: str = "f32", threads: int = 1) -> Runner:
    """Make a card's network ready to run.

    The compiled network is shared by all who open the same one in this process.

    Args:
        card: The network; not a fusion, whose members are opened one by one.
        runtime: "onnxruntime", "openvino" (extra), or "auto": OpenVINO where it is installed, for networks of one
            size; onnxruntime otherwise.
        precision: "f32", or "bf16" (OpenVINO only), which is faster on processors that have it and moves embeddings a
            little: it is part of `ModelCard.identity`.
        threads: How many threads one run uses. The default of 1 suits callers who work on several photos at once.

    Raises:
        ModelError: The weights are missing, altered, or not a network.
        MissingExtraError: OpenVINO is asked for and not installed.
        ConfigError: bf16 is asked of onnxruntime.
        ValueError: `card` is a fusion, or an argument has no such value.
    """
    if card.members:
        raise ValueError(f"{card.name} is a fusion: open its members")
    if runtime not in RUNTIMES or precision not in PRECISIONS or threads < 1:
        raise ValueError(f"no such runtime, precision or threads: {runtime!r}, {precision!r}, {threads!r}")
    chosen = _runtime(card, runtime, precision)
    key = (card.sha256, card.format, card.input.size, card.input.multiple, chosen, precision, threads)
    with _opening:
        if key not in _open:
            _open[key] = _compile(card, chosen, precision, threads)
            if len(_open) > _open_limit:
                _open.popitem(last=False)
        _open.move_to_end(key)
        network = _open[key]
    return _CheckedRunner(card, precision, network)


def _runtime(card: ModelCard, asked: str, precision: str) -> str:
    if precision == "bf16" and asked == "onnxruntime":
        raise ConfigError("onnxruntime has no bf16 precision on a processor.", hint="Ask for openvino, or for f32.")
    if asked == "openvino" or precision == "bf16":
        if not _has_openvino():
            raise MissingExtraError("openvino", "the OpenVINO runtime")
        return "openvino"
    # Networks of any size stay with onnxruntime: OpenVINO prepares anew for each size, and YuNet is slower there.
    return "openvino" if asked == "auto" and card.input.size is not None and _has_openvino() else "onnxruntime"


def _has_openvino() -> bool:
    return find_spec("openvino") is not None


def check_graph(card: ModelCard, *, runtime: str = "auto", precision: str = "f32") -> str:
    """Make a card's graph anew from its weights, and compare it with the one that is kept between runs.

    Args:
        card: The network; not a fusion.
        runtime: As for `open_model`.
        precision: As for `open_model`.

    Returns:
        What was found, as a sentence.

    Raises:
        ModelError: The kept graph isn't what the weights make ("model.altered"), or as `open_model`.
    """
    if folder := untrusted_folder():
        return f"No graph is kept between runs: {folder} belongs to somebody else, or others can write to it."
    chosen = _runtime(card, runtime, precision)
    weights, found = find_weights(card), read_kept(_key(card, chosen))
    if found is None:
        return "No graph is kept yet."
    path, data = found
    with _refusing_what_cannot_run(card):
        if _graph(card, weights.read_bytes(), chosen) != data:
            raise ModelError(
                f"The graph {path} is not what the weights of {card.name!r} make.",
                hint="Remove it, and mien makes it again. Unless another version of onnx made it, somebody altered it.",
                code="model.altered",
            )
    return "The kept graph is what the weights make."


def _compile(card: ModelCard, runtime: str, precision: str, threads: int) -> Network:
    weights = find_weights(card)
    with _refusing_what_cannot_run(card):
        graph = kept(_key(card, runtime), lambda: _graph(card, weights.read_bytes(), runtime))
        network = (
            OpenvinoNetwork(graph, precision, threads) if runtime == "openvino" else OnnxruntimeNetwork(graph, threads)
        )
        _check_input(card, network)
    return network


def _key(card: ModelCard, runtime: str) -> str:
    """What a graph is kept under: all that it depends on."""
    size = "any" if card.input.size is None else "x".join(map(str, card.input.size))
    return f"{card.sha256[:32]}-{card.format}-{size}-{runtime}-{GRAPH_VERSION}"


@contextmanager
def _refusing_what_cannot_run(card: ModelCard) -> Iterator[None]:
    try:
        yield
    except MienError:
        raise
    except Exception as error:  # what onnx and the runtimes raise has no common base
        problem = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(
            f"{card.file}, the weights of {card.name!r}, can't be run as a network: {problem[0]}",
            hint="Check that the file is what its card says, and that all of the network is in this one file.",
            code="model.unusable",
        ) from error


def _graph(card: ModelCard, weights: bytes, runtime: str) -> bytes:
    # Late: onnx is slow to import, and only needed where no graph is kept.
    from mien.models.dlib_format import read_dlib_resnet
    from mien.models.graph_repair import repair

    if card.format == "dlib":
        return read_dlib_resnet(weights)
    any_size, fast_prelu = card.input.size is None, runtime == "onnxruntime"
    graph = repair(weights, any_size=any_size, fast_prelu=fast_prelu)
    return graph if _runs_in_batches(graph, card) else repair(weights, any_batch=False, fast_prelu=fast_prelu)


def _runs_in_batches(graph: bytes, card: ModelCard) -> bool:
    """Whether a batch gives what its rows give one by one; a graph written for a batch of one need not."""
    width, height = card.input.size or (2 * card.input.multiple, card.input.multiple)
    batch = np.random.default_rng(0).uniform(-1, 1, (3, 3, height, width)).astype(np.float32)
    try:
        network = OnnxruntimeNetwork(graph, 1)
        together, alone = network(batch), [network(row[None]) for row in batch]
    except Exception:  # whatever is wrong with it, it doesn't run in batches
        return False
    return all(
        len(values) == len(batch) and np.allclose(values, np.concatenate([row[name] for row in alone]), 1e-3, 1e-4)
        for name, values in together.items()
    )


def _check_input(card: ModelCard, network: Network) -> None:
    width, height = card.input.size or (card.input.multiple, card.input.multiple)
    shape = network.input_shape
    wanted = (1, 3, height, width)
    fits = len(shape) == 4 and all(side in (None, want) for side, want in zip(shape, wanted, strict=True))
    if not fits:
        raise ModelError(
            f"The network of {card.name!r} takes {_shape(shape)}, and its card says {_shape((None, *wanted[1:]))} "
            "(photos, channels, height, width).",
            hint="Correct the size in the card; networks that want the channels last must be exported with them first.",
            code="model.input",
        )


def _shape(sides: tuple[int | None, ...]) -> str:
    return f"({', '.join('any' if side is None else str(side) for side in sides)})"


@dataclass(frozen=True, slots=True)
class _CheckedRunner:
    card: ModelCard
    precision: str
    network: Network

    @property
    def runtime(self) -> str:
        return self.network.runtime

    def run(self, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        self._check_batch(batch)
        outputs = self.network(batch)
        self._check_outputs(outputs, len(batch))
        return outputs

    def _check_batch(self, batch: NDArray[np.float32]) -> None:
        if batch.dtype != np.float32 or batch.ndim != 4 or batch.shape[1] != 3 or not len(batch):
            raise ValueError(f"a batch is (N, 3, H, W) float32 with N ≥ 1, not {batch.shape} {batch.dtype}")
        contract = self.card.input
        height, width = batch.shape[2:]
        if contract.size is not None and (width, height) != contract.size:
            raise ValueError(f"{self.card.name} takes {contract.size} (width, height), not {(width, height)}")
        if contract.size is None and any(side < 1 or side % contract.multiple for side in (height, width)):
            raise ValueError(
                f"{self.card.name} takes sides that are multiples of {contract.multiple}, not {batch.shape}"
            )

    def _check_outputs(self, outputs: dict[str, NDArray[np.float32]], count: int) -> None:
        contract = self.card.output
        if contract.name:
            if contract.name not in outputs:
                raise ModelError(
                    f"The network of {self.card.name!r} has no output named {contract.name!r}; "
                    f"it has {', '.join(outputs)}.",
                    code="model.output",
                )
            shape = outputs[contract.name].shape
            if shape != (count, contract.dimensions):
                raise ModelError(
                    f"The network of {self.card.name!r} gives {contract.name!r} as {shape}, and its card says "
                    f"{contract.dimensions} numbers for each of {count} crops.",
                    code="model.output",
                )
        for name, values in outputs.items():
            if not np.isfinite(values).all():
                raise ModelError(
                    f"The network of {self.card.name!r} gave something that isn't a number in {name!r}.",
                    hint="Check the mean and scale of its card, and the precision it runs in.",
                    code="model.not-finite",
                )
