from collections.abc import Callable, Mapping

from mien.evaluation.protocols.bins import bin_
from mien.evaluation.protocols.closed_set import closed_set
from mien.evaluation.protocols.clustering import clustering
from mien.evaluation.protocols.course import course
from mien.evaluation.protocols.lfw import lfw
from mien.evaluation.protocols.open_set import open_set
from mien.evaluation.protocols.pairs import pairs
from mien.evaluation.protocols.people import people
from mien.evaluation.protocols.protocol import EvaluationProtocol
from mien.evaluation.protocols.templates import templates

PROTOCOLS: Mapping[str, Callable[..., EvaluationProtocol]] = {
    opening.__name__.rstrip("_").replace("_", "-"): opening
    for opening in (lfw, pairs, bin_, people, templates, open_set, course, closed_set, clustering)
}
"""What opens each protocol, by its name on the command line; the command's arguments are the function's."""
