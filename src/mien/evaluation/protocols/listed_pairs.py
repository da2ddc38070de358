from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mien.evaluation.evaluation import Evaluation
from mien.evaluation.measures.differences import compare_verification
from mien.evaluation.measures.folds import folded_accuracy
from mien.evaluation.protocols.photo_pairs import PhotoPairs
from mien.evaluation.protocols.protocol import (
    Differences,
    EmbeddedPhotos,
    Settings,
    data_of,
    photos_without_face,
    similarities,
    worst_comparisons,
)
from mien.evaluation.scores.comparisons import Comparisons
from mien.photos import PhotoSource


@dataclass(frozen=True, eq=False)
class ListedPairs:
    """Verification over a list of pairs of photos: what most protocols come down to.

    Args:
        name: What the protocol is called on the command line.
        title: What it is called elsewhere.
        data: What the set of photos is called.
        pairs: Which photos are compared.
        photos: What to open for each of them.
        aligned: Whether they are aligned crops already.
        facts: What the evaluation says of its data beside the number of pairs.
    """

    name: str
    title: str
    data: str
    pairs: PhotoPairs
    photos: Mapping[str, PhotoSource]
    aligned: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    def comparisons(self, embedded: EmbeddedPhotos) -> Comparisons:
        """Every pair with its similarity."""
        rows = np.stack([embedded.rows(self.pairs.first), embedded.rows(self.pairs.second)], axis=1)
        people = self.pairs.people
        return Comparisons(
            similarity=similarities(embedded.embeddings, rows),
            mated=self.pairs.mated,
            people=None if people is None else np.unique(people, return_inverse=True)[1].reshape(-1, 2),
            photos=rows,
            fold=self.pairs.fold,
        )

    def evaluate(self, embedded: EmbeddedPhotos, settings: Settings) -> Evaluation:
        """Measure verification; where the list has folds, also the accuracy on each with the others' threshold."""
        pairs, scores = self.pairs, self.comparisons(embedded)
        mated = int(pairs.mated.sum())
        folds = folded_accuracy(scores.similarity, scores.mated, pairs.fold) if pairs.fold.any() else None
        ten = "" if folds is None else f", in {len(folds.accuracy)} folds"
        people = None if pairs.people is None else len(np.unique(pairs.people))
        facts = {"pairs": len(pairs), "mated": mated, "non-mated": len(pairs) - mated, **self.facts}
        if repeated := pairs.repeated:
            facts["pairs listed again"] = repeated
        return Evaluation(
            protocol=self.name,
            title=self.title,
            question=f"How often are {len(pairs):,} listed pairs rightly told to show one person or two{ten}?",
            data=data_of(self.data, list(self.photos), embedded, people, facts),
            encoder=embedded.encoder,
            calibration=settings.calibration.summary() if settings.calibration else None,
            verification=settings.verification(scores),
            folds=folds,
            worst=(
                *worst_comparisons(
                    scores,
                    list(zip(pairs.first, pairs.second, strict=True)),
                    None if pairs.people is None else pairs.people.tolist(),
                ),
                *photos_without_face(list(self.photos), embedded),
            ),
            made=settings.made(),
        )

    def compare(self, first: EmbeddedPhotos, second: EmbeddedPhotos, settings: Settings) -> Differences:
        """The differences of two encoders on the same pairs."""
        return compare_verification(
            self.comparisons(first),
            self.comparisons(second),
            failures_are_errors=settings.failures_are_errors,
            resamples=settings.resamples,
            seed=settings.seed,
        )

    def answers(self, embedded: EmbeddedPhotos, _: Settings) -> Iterator[dict[str, Any]]:
        """Every pair with its similarity, in a form that `mien evaluate scores` reads."""
        scores = self.comparisons(embedded)
        for row, similarity in enumerate(scores.similarity.tolist()):
            yield {
                "first": self.pairs.first[row],
                "second": self.pairs.second[row],
                "score": "" if np.isnan(similarity) else f"{similarity:.6f}",
                "mated": int(self.pairs.mated[row]),
                **({"fold": int(self.pairs.fold[row])} if self.pairs.fold.any() else {}),
                **(
                    {}
                    if self.pairs.people is None
                    else {"person1": self.pairs.people[row, 0], "person2": self.pairs.people[row, 1]}
                ),
            }
