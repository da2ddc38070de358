"""Scores from anywhere: no photos, no encoder, only similarities and what they are of."""

import math
from pathlib import Path

import numpy as np

from mien.errors import InputError
from mien.evaluation.evaluation import Evaluation, EvaluationData
from mien.evaluation.measures.folds import folded_accuracy
from mien.evaluation.protocols.photo_pairs import truth
from mien.evaluation.protocols.protocol import Settings
from mien.evaluation.protocols.tables import people_of_pairs, read_table, read_text
from mien.evaluation.scores.comparisons import Comparisons

_GREATEST = 1e100
"""Beyond it no system scores, and sums would overflow."""


def read_scores(mated: Path, non_mated: Path) -> Comparisons:
    """Read two files of similarities, one a line; blank lines and lines that start with ``#`` are skipped.

    Raises:
        InputError: If a file can't be read, has no score, or a line is none; ``nan`` is one of a failed comparison.
    """
    of_one, of_two = _column(mated), _column(non_mated)
    return Comparisons(
        similarity=np.array([*of_one, *of_two]), mated=np.arange(len(of_one) + len(of_two)) < len(of_one)
    )


def read_score_table(path: Path) -> Comparisons:
    """Read a CSV file: ``score,mated`` and, if wanted, ``fold`` and both ``person1`` and ``person2``.

    Raises:
        InputError: If the file can't be read, or a line makes no sense; an empty score is a failed comparison.
    """
    try:
        table = read_table(path, ("score", "mated"), may_be_empty=("score",))
    except InputError as error:
        raise (_of_one_kind(path) or error) from None
    similarity = np.array([_score(path, line, row["score"] or "nan") for line, row in table.items()])
    mated = np.array([truth(path, line, row["mated"]) for line, row in table.items()])
    rows, header = list(table.values()), next(iter(table.values())).keys()
    fold = None
    if "fold" in header:
        fold = np.unique([row["fold"] for row in rows], return_inverse=True)[1].astype(np.int64)
    named = people_of_pairs(path, table, mated.tolist())
    people = None if named is None else np.unique(named, return_inverse=True)[1].reshape(-1, 2).astype(np.int64)
    return Comparisons(similarity, mated, people, fold=fold)


def evaluate_scores(scores: Comparisons, data: str, settings: Settings) -> Evaluation:
    """Measure verification of similarities of any encoder, on any scale.

    Raises:
        InputError: If there are no mated or no non-mated comparisons, or all of a kind failed.
    """
    mated = int(scores.mated.sum())
    if not 0 < mated < len(scores):
        raise InputError(
            f"{data} has {mated:,} mated and {len(scores) - mated:,} non-mated scores.",
            hint="It takes scores of both kinds.",
            code="input.scores",
        )
    for kind, rows in (("mated", scores.mated), ("non-mated", ~scores.mated)):
        if np.isnan(scores.similarity[rows]).all():
            raise InputError(
                f"None of the {int(rows.sum()):,} {kind} scores of {data} is a number: all are of failed comparisons.",
                hint="An error rate takes scores of both kinds; look at what wrote nan, or nothing, in their place.",
                code="input.scores",
            )
    folded = scores.fold is not None and len(np.unique(scores.fold)) > 1
    return Evaluation(
        protocol="scores",
        title=f"The scores of {data}",
        question=f"How well do {len(scores):,} scores tell one person from two?",
        data=EvaluationData(
            name=data,
            people=None if scores.people is None else len(np.unique(scores.people)),
            photos=0,
            photos_without_face=0,
            list_sha256="",
            facts={"mated": mated, "non-mated": len(scores) - mated},
        ),
        calibration=settings.calibration.summary() if settings.calibration else None,
        verification=settings.verification(scores),
        folds=folded_accuracy(scores.similarity, scores.mated, scores.fold)
        if folded and scores.fold is not None
        else None,
        made=settings.made(),
    )


def _column(path: Path) -> list[float]:
    lines = enumerate(read_text(path, "file of scores").split("\n"), start=1)
    scores = [_score(path, number, line.strip()) for number, line in lines if line.strip() and line.lstrip()[0] != "#"]
    if not scores:
        raise InputError(f"The file of scores {path} has no score.", code="input.scores")
    return scores


def _of_one_kind(path: Path) -> InputError | None:
    """What to say of a file that is no table, if it begins with a score."""
    try:
        float(read_text(path, "file of scores").lstrip().partition("\n")[0])
    except ValueError:
        return None
    return InputError(
        f"{path} has scores of one kind only.",
        hint=f"Name the file of the other kind too: mien evaluate scores {path} NONMATED.txt; or give a CSV file "
        "with the columns score and mated.",
        code="input.scores",
    )


def _score(path: Path, number: int, text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.inf
    if abs(score) > _GREATEST:
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise InputError(
            f"Line {number} of {path} is no score: {shown}.",
            hint="A file of scores has one number a line, from −1e100 to 1e100.",
            code="input.scores",
        )
    return score
