from mien.evaluation.bcubed import BCubed, bcubed
from mien.evaluation.calibrating import calibrate, list_sha256
from mien.evaluation.error_rates import MeasuredRates, false_match_rates, false_non_match_rates
from mien.evaluation.intervals import clopper_pearson, wilson
from mien.evaluation.lfw import FoldedAccuracy, PhotoPairs, best_threshold, folded_accuracy, read_pairs
from mien.evaluation.likelihood import cllr, fit_likelihood
from mien.evaluation.pair_scores import EDGES, Extremes, PairScores, score_all_pairs
from mien.evaluation.tail import fit_tail

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
