import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien._version import __version__
from mien.decisions.calibration import Calibration
from mien.decisions.measured import CalibrationData, EncoderIdentity, LikelihoodMap, RateCurve
from mien.decisions.wording import counted
from mien.errors import CalibrationError
from mien.evaluation.calibrating.false_match import measure_false_matches
from mien.evaluation.calibrating.likelihood import fit_likelihood
from mien.evaluation.measures.error_rates import false_non_match_rates
from mien.evaluation.scores.pair_scores import EDGES, PairScores, score_all_pairs

PROTOCOL = (
    "Every photo compared with every other. Each pair of people weighs the same in the false match rate, each person "
    "in the false non-match rate. 95 % intervals over people: Clopper-Pearson at the effective number of comparisons. "
    "The smallest counted false match rate has 30 false matches that tell as much as 10 independent ones, and is not "
    "below that of two pairs of people among all pairs. Down to a tenth of it, rates are those of a generalised Pareto "
    "distribution fitted to the decade above, with intervals over people, unless an Anderson-Darling test rejects it."
)


def calibrate(
    embeddings: NDArray[np.float32],
    people: Sequence[str],
    *,
    name: str,
    encoder: EncoderIdentity,
    data: str,
    score: Mapping[str, Any] | None = None,
    photos: Sequence[str] = (),
    photos_without_face: int = 0,
    command: str = "",
    seed: int = 0,
) -> Calibration:
    """Measure what the similarities of an encoder mean, on photos of people that it was not trained on.

    Args:
        embeddings: (N, D) float32, a row a photo.
        people: (N,) whose each photo is.
        name: What the calibration is called.
        encoder: Whose embeddings they are.
        data: What the set of photos is called.
        score: What a similarity is beside a cosine (flip, fusion …); JSON-ready.
        photos: (N,) what each photo is called, such as its path in the set; only a hash of the list is kept.
        photos_without_face: How many photos of the set gave no embedding.
        command: The command that this was made by.
        seed: Of the draws for the tail's test and for halving the people.

    Raises:
        ValueError: If lengths differ, or an embedding is zero or not finite.
        CalibrationError: If there are no two people.
    """
    if photos and len(photos) != len(people):
        raise ValueError(f"{len(photos)} names for {len(people)} photos")
    if len(set(people)) < 2:
        raise CalibrationError(
            f"The set {data} has {counted(len(set(people)), 'person', 'people')}, and a false match takes two.",
            hint="Give photos of several people, a folder for each.",
            code="calibration.too-few-people",
        )
    scores = score_all_pairs(embeddings, people)
    false_match = measure_false_matches(scores, seed=seed)
    mated = bool(scores.mated.sum())
    return Calibration(
        name=name,
        encoder=encoder,
        data=CalibrationData(
            name=data,
            people=len(scores.people),
            photos=len(people),
            photos_without_face=photos_without_face,
            mated=int(scores.mated.sum()),
            non_mated=int(scores.non_mated.sum()),
            mated_people=int((np.bincount(scores.person) > 1).sum()),
            list_sha256=list_sha256(photos) if photos else "",
        ),
        score={"metric": "cosine", **(score or {})},
        protocol=PROTOCOL,
        similarity=EDGES[::2],
        false_match=_for_file(false_match.curve),
        false_non_match=_for_file(false_non_match_rates(scores).curve) if mated else None,
        smallest_fmr=_significant(false_match.smallest_counted),
        tail=false_match.tail,
        likelihood=_likelihood(embeddings, people, scores, seed) if mated else None,
        made=made_now(command),
        smallest_modelled_fmr=_significant(false_match.smallest_modelled),
    )


def list_sha256(photos: Iterable[str]) -> str:
    """SHA-256 over the names of photos, sorted, a line each."""
    lines = "".join(f"{photo}\n" for photo in sorted(photos))
    return hashlib.sha256(lines.encode(errors="backslashreplace")).hexdigest()  # a file's name may be any bytes


def made_now(command: str) -> dict[str, str]:
    """How a calibration came about that is made today by this command and version."""
    return {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "command": command, "version": __version__}


def _likelihood(embeddings: NDArray[np.float32], people: Sequence[str], scores: PairScores, seed: int) -> LikelihoodMap:
    in_first = np.random.default_rng(seed).permutation(len(scores.people)) % 2 == 0
    one, other = (
        score_all_pairs(embeddings[rows], np.asarray(people)[rows].tolist())
        for rows in (in_first[scores.person], ~in_first[scores.person])
    )
    enough = all(half.mated.sum() and half.non_mated.sum() for half in (one, other))
    return fit_likelihood(scores, (one, other) if enough else None)


def _for_file(curve: RateCurve) -> RateCurve:
    """Every second point of the curve, six significant digits a number: a file of 100 kB instead of 600."""
    return RateCurve(
        *(
            np.array([float(f"{number:.6g}") for number in part[::2].tolist()])
            for part in (curve.value, curve.low, curve.high)
        )
    )


def _significant(rate: float | None) -> float | None:
    return None if rate is None else float(f"{rate:.6g}")
