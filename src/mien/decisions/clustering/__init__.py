"""Which faces belong together? Groups of faces, each face in one, two faces of one photo never in the same."""

from mien.decisions.clustering.clustering import Clustering, Method, cluster

__all__ = ["Clustering", "Method", "cluster"]
