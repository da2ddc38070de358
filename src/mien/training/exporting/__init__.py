"""From a trained network to an encoder that the rest of mien uses: a graph (ONNX) with its model card."""

from mien.training.exporting.exporting import export
from mien.training.exporting.forms import ExportedEncoder
from mien.training.exporting.full_crops import FullCrops
from mien.training.exporting.int8_graph import to_int8
from mien.training.exporting.onnx_graph import OPSET, to_onnx
from mien.training.exporting.parity import Parity
from mien.training.exporting.run import export_run

__all__ = ["OPSET", "ExportedEncoder", "FullCrops", "Parity", "export", "export_run", "to_int8", "to_onnx"]
