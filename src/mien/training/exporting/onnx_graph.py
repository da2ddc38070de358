"""A PyTorch network as an ONNX graph."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from mien._version import __version__
from mien.errors import TrainingError
from mien.models.graph_repair import repair
from mien.training.exporting.full_crops import FULL_SIDE, FullCrops
from mien.training.exporting.quiet import quietly

OPSET = 18
"""The set of operations that graphs are written in; every runtime of the last years has it."""
INPUT, OUTPUT = "crops", "embedding"


def to_onnx(
    network: nn.Module, side: int = FULL_SIDE, *, unit_length: bool = False, about: Mapping[str, str] | None = None
) -> bytes:
    """Write a network as ONNX: float32, any number of crops at once, norms merged into what comes before them.

    The same network gives the same bytes; they name no file and no folder of this machine.

    Args:
        network: (N, 3, S, S) to (N, D); it stays as it is.
        side: S. The graph takes crops of 112 pixels at any S.
        unit_length: Whether the graph brings embeddings to length 1; otherwise they are raw.
        about: What the file says of itself, beside the opset and the version of mien.

    Raises:
        TrainingError: PyTorch can't write this network as ONNX.
    """
    whole = FullCrops(deepcopy(network), side, unit_length=unit_length)
    whole = whole.to(device="cpu", dtype=torch.float32).eval()
    try:
        with quietly(), torch.no_grad():
            program = torch.onnx.export(
                whole,
                (torch.zeros(2, 3, FULL_SIDE, FULL_SIDE),),
                dynamo=True,
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                external_data=False,
                verbose=False,
            )
    except Exception as problem:  # what can't be written is said in exceptions of many kinds
        reason = next((line for line in str(problem).splitlines() if line.strip()), type(problem).__name__)
        raise TrainingError(
            f"The network {type(network).__name__} can't be written as ONNX: {reason}",
            hint="Its forward must be one path of tensor operations, whatever the batch.",
            code="training.export",
        ) from problem
    assert program is not None
    return _plain(program.model_proto, {"opset": str(OPSET), "mien": __version__, **(about or {})})


def _plain(model: Any, about: Mapping[str, str]) -> bytes:
    """The graph without the exporter's notes, which name the files of this machine."""
    graph = model.graph
    del graph.value_info[:]
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    for number, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{number}"
    for key, value in about.items():
        model.metadata_props.add(key=key, value=value)
    model.producer_name, model.producer_version = "mien", __version__
    return repair(model.SerializeToString(deterministic=True), any_batch=False)
