from mien.evaluation.calibrating.calibrate import calibrate, list_sha256
from mien.evaluation.calibrating.doubles import Double, find_doubles
from mien.evaluation.calibrating.drift import (
    Drift,
    RateDrift,
    drift_of_calibrated,
    drift_of_people,
    drift_of_probes,
)
from mien.evaluation.calibrating.false_match import FalseMatches, measure_false_matches
from mien.evaluation.calibrating.likelihood import cllr, fit_likelihood
from mien.evaluation.calibrating.tail import FittedTail, fit_tail
from mien.evaluation.calibrating.unlabelled import calibrate_unlabelled
from mien.evaluation.evaluation import Evaluation, EvaluationData, WorstError
from mien.evaluation.intervals.proportions import clopper_pearson, wilson
from mien.evaluation.measures.bcubed import BCubed, bcubed
from mien.evaluation.measures.closed_set import ClosedSet, closed_set_measures
from mien.evaluation.measures.clustering import ClusteringMeasures, clustering_measures
from mien.evaluation.measures.curves import ErrorCurve
from mien.evaluation.measures.differences import Difference, compare_identification, compare_verification
from mien.evaluation.measures.error_rates import MeasuredRates, false_match_rates, false_non_match_rates
from mien.evaluation.measures.estimate import Estimate, Measure, Unsupported
from mien.evaluation.measures.folds import FoldedAccuracy, best_threshold, folded_accuracy
from mien.evaluation.measures.identification import (
    FPIRS,
    IdentificationMeasures,
    RankCurve,
    SearchErrorCurve,
    SearchThresholdMeasures,
    identification_measures,
)
from mien.evaluation.measures.verification import (
    RATES,
    ThresholdMeasures,
    VerificationMeasures,
    verification_measures,
)
from mien.evaluation.protocols.people import labelled_photos
from mien.evaluation.protocols.photo_pairs import PhotoPairs, read_pair_list, read_pairs
from mien.evaluation.protocols.protocol import EmbeddedPhotos, EvaluationProtocol, Settings
from mien.evaluation.protocols.registry import PROTOCOLS
from mien.evaluation.protocols.scores import evaluate_scores, read_score_table, read_scores
from mien.evaluation.scores.comparisons import Comparisons
from mien.evaluation.scores.pair_scores import EDGES, Extremes, PairScores, score_all_pairs
from mien.evaluation.scores.searches import Searches
from mien.evaluation.scores.searching import search

__all__ = [
    "EDGES",
    "FPIRS",
    "PROTOCOLS",
    "RATES",
    "BCubed",
    "ClosedSet",
    "ClusteringMeasures",
    "Comparisons",
    "Difference",
    "Double",
    "Drift",
    "EmbeddedPhotos",
    "ErrorCurve",
    "Estimate",
    "Evaluation",
    "EvaluationData",
    "EvaluationProtocol",
    "Extremes",
    "FalseMatches",
    "FittedTail",
    "FoldedAccuracy",
    "IdentificationMeasures",
    "Measure",
    "MeasuredRates",
    "PairScores",
    "PhotoPairs",
    "RankCurve",
    "RateDrift",
    "SearchErrorCurve",
    "SearchThresholdMeasures",
    "Searches",
    "Settings",
    "ThresholdMeasures",
    "Unsupported",
    "VerificationMeasures",
    "WorstError",
    "bcubed",
    "best_threshold",
    "calibrate",
    "calibrate_unlabelled",
    "cllr",
    "clopper_pearson",
    "closed_set_measures",
    "clustering_measures",
    "compare_identification",
    "compare_verification",
    "drift_of_calibrated",
    "drift_of_people",
    "drift_of_probes",
    "evaluate_scores",
    "false_match_rates",
    "false_non_match_rates",
    "find_doubles",
    "fit_likelihood",
    "fit_tail",
    "folded_accuracy",
    "identification_measures",
    "labelled_photos",
    "list_sha256",
    "measure_false_matches",
    "read_pair_list",
    "read_pairs",
    "read_score_table",
    "read_scores",
    "score_all_pairs",
    "search",
    "verification_measures",
    "wilson",
]
