from mien.decisions.calibration import Calibration, Threshold, shipped_calibration
from mien.decisions.identification import Candidate, Identification, identify
from mien.decisions.measured import CalibrationData, EncoderIdentity, LikelihoodMap, RateCurve, TailModel
from mien.decisions.rate import Rate
from mien.decisions.verification import Verification, verify

__all__ = [
    "Calibration",
    "CalibrationData",
    "Candidate",
    "EncoderIdentity",
    "Identification",
    "LikelihoodMap",
    "Rate",
    "RateCurve",
    "TailModel",
    "Threshold",
    "Verification",
    "identify",
    "shipped_calibration",
    "verify",
]
