from mien.evaluation.calibrating.calibrate import calibrate, list_sha256
from mien.evaluation.calibrating.likelihood import cllr, fit_likelihood
from mien.evaluation.calibrating.tail import fit_tail
from mien.evaluation.intervals.proportions import clopper_pearson, wilson
from mien.evaluation.measures.bcubed import BCubed, bcubed
from mien.evaluation.measures.error_rates import MeasuredRates, false_match_rates, false_non_match_rates
from mien.evaluation.measures.folds import FoldedAccuracy, best_threshold, folded_accuracy
from mien.evaluation.protocols.lfw import PhotoPairs, read_pairs
from mien.evaluation.scores.pair_scores import EDGES, Extremes, PairScores, score_all_pairs

__all__ = [
    "EDGES",
    "BCubed",
    "Extremes",
    "FoldedAccuracy",
    "MeasuredRates",
    "PairScores",
    "PhotoPairs",
    "bcubed",
    "best_threshold",
    "calibrate",
    "cllr",
    "clopper_pearson",
    "false_match_rates",
    "false_non_match_rates",
    "fit_likelihood",
    "fit_tail",
    "folded_accuracy",
    "list_sha256",
    "read_pairs",
    "score_all_pairs",
    "wilson",
]
