"""Floor 3: where are the faces, and what is each one's embedding?"""

from mien.faces.alignment import TEMPLATES, align, similarity_transforms
from mien.faces.choosing import FacePolicy, choose, too_blurred
from mien.faces.detection import Detector
from mien.faces.drawing import draw
from mien.faces.encoding import Encoder, FusedEncoder, NetworkEncoder, open_encoder, with_embeddings
from mien.faces.faces import Faces
from mien.faces.quality import FaceQuality, measure_quality
from mien.faces.ready_crop import embed_ready_crops, ready_crop
from mien.faces.table import FaceTable
from mien.faces.unit_length import are_of_unit_length

__all__ = [
    "TEMPLATES",
    "Detector",
    "Encoder",
    "FacePolicy",
    "FaceQuality",
    "FaceTable",
    "Faces",
    "FusedEncoder",
    "NetworkEncoder",
    "align",
    "are_of_unit_length",
    "choose",
    "draw",
    "embed_ready_crops",
    "measure_quality",
    "open_encoder",
    "ready_crop",
    "similarity_transforms",
    "too_blurred",
    "with_embeddings",
]
