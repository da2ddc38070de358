from mien.decisions.calibration import Calibration, Threshold, shipped_calibration
from mien.decisions.clustering import Clustering, cluster
from mien.decisions.identification import Candidate, Identification, identify
from mien.decisions.matching import Matching, match, person_similarities
from mien.decisions.measured import CalibrationData, EncoderIdentity, LikelihoodMap, RateCurve, TailModel
from mien.decisions.rate import Rate
from mien.decisions.verification import Verification, verify

__all__ = [
    "Calibration",
    "CalibrationData",
    "Candidate",
    "Clustering",
    "EncoderIdentity",
    "Identification",
    "LikelihoodMap",
    "Matching",
    "Rate",
    "RateCurve",
    "TailModel",
    "Threshold",
    "Verification",
    "cluster",
    "identify",
    "match",
    "person_similarities",
    "shipped_calibration",
    "verify",
]
