import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mien.decisions import calibration_file
from mien.decisions.measured import CalibrationData, EncoderIdentity, LikelihoodMap, RateCurve, TailModel
from mien.decisions.rate import Rate
from mien.decisions.wording import counted, rate_rounded_up, rate_words
from mien.errors import CalibrationError
from mien.whole_files import write_whole

SHIPPED = Path(__file__).parent / "calibrations"
OWN_GALLERY = "this gallery's own people"
OTHER_PEOPLE = "other people than yours"
"""What `Calibration.whose` may be."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The similarity at and above which two photos count as one person's.

    Args:
        similarity: The threshold.
        low: Lower end of its 95 % interval: every similarity whose FMR interval contains the asked FMR is inside.
        high: Upper end of its 95 % interval.
        fmr: The false match rate at the threshold.
    """

    similarity: float
    low: float
    high: float
    fmr: Rate


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """What the similarities of one encoder mean, as measured on one set of people.

    Two calibrations are equal when their content is. The file form is JSON; its hash is over the canonical form of
    everything but the hash itself (keys sorted, no spaces).

    Args:
        name: What it is called, such as ``"lfw-sface"``.
        encoder: Whose embeddings it is for.
        data: The people and photos behind it.
        score: What a similarity is: metric, flip, fusion …; JSON-ready.
        protocol: Which comparisons were made and how the rates and intervals were computed, in a sentence or two.
        similarity: (G,) the grid, increasing, from −1 to 1.
        false_match: FMR(t) = P(similarity ≥ t | different people) on the grid.
        false_non_match: FNMR(t) = P(similarity < t | one person) on the grid; None without mated comparisons.
        smallest_fmr: The smallest false match rate that the comparisons support by counting; None if they support none.
        tail: Model of the highest non-mated similarities; None where too few are there.
        likelihood: Map to a log-likelihood ratio; None without mated comparisons.
        made: How it came about: date, command, version.
        smallest_modelled_fmr: The smallest false match rate that `tail` supports beyond `smallest_fmr`: there the rates
            of `false_match` are modelled, with the wider intervals of the model. None where nothing is.
        whose: Whose faces these are to the user: `OWN_GALLERY`, `OTHER_PEOPLE`, or "" where that is not known. No part
            of the content, but of how it came to be used.
    """

    name: str
    encoder: EncoderIdentity
    data: CalibrationData
    score: Mapping[str, Any]
    protocol: str
    similarity: NDArray[np.float64]
    false_match: RateCurve
    false_non_match: RateCurve | None
    smallest_fmr: float | None
    tail: TailModel | None
    likelihood: LikelihoodMap | None
    made: Mapping[str, str]
    smallest_modelled_fmr: float | None = None
    whose: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not (np.abs(self.similarity) <= 1).all() or not (np.diff(self.similarity) > 0).all():
            raise ValueError("the similarity grid does not rise from −1 to 1")
        for smallest in (self.smallest_fmr, self.smallest_modelled_fmr):
            if smallest is not None and (isinstance(smallest, bool) or not 0 < smallest < 1):
                raise ValueError(f"a smallest false match rate can't be {smallest}")
        if not isinstance(self.name, str):
            raise TypeError(f"a name can't be {self.name!r}")
        curves = [self.false_match] + ([self.false_non_match] if self.false_non_match else [])
        if len(self.similarity) < 2 or any(curve.value.shape != self.similarity.shape for curve in curves):
            raise ValueError("the error rates are not on the similarity grid")
        if not self.false_match.falls() or (self.false_non_match and not self.false_non_match.rises()):
            raise ValueError("the error rates are not monotone in the similarity")

    @property
    def people(self) -> int:
        """How many people were compared."""
        return self.data.people

    @property
    def photos(self) -> int:
        """How many photos were compared."""
        return self.data.photos

    @property
    def mated(self) -> int:
        """How many comparisons were of two photos of one person."""
        return self.data.mated

    @property
    def non_mated(self) -> int:
        """How many comparisons were of two photos of different people."""
        return self.data.non_mated

    @property
    def smallest_supported_fmr(self) -> float | None:
        """The smallest false match rate that can be asked for, counted or modelled; None if there is none."""
        return self.smallest_modelled_fmr or self.smallest_fmr

    @property
    def support(self) -> str:
        """Which false match rates can be asked for, as a sentence."""
        if self.smallest_fmr is None:
            return "It supports no false match rate: it takes more people."
        supported = (
            f"It supports false match rates of {rate_words(rate_rounded_up(self.smallest_fmr))} or more by counting"
        )
        if self.smallest_modelled_fmr is None:
            return f"{supported}."
        return (
            f"{supported}, and of {rate_words(rate_rounded_up(self.smallest_modelled_fmr))} or more by extrapolation."
        )

    def supports(self, fmr: float) -> bool:
        """Whether the comparisons behind the calibration support a false match rate."""
        return self.smallest_supported_fmr is not None and fmr >= self.smallest_supported_fmr

    def supports_fpir(self, fpir: float, gallery_size: int) -> bool:
        """Whether `threshold_for_fpir` has an answer."""
        return self.supports(_fmr_of_each(fpir, gallery_size))

    def source_words(self, similarity: float) -> str:
        """On whom the rates at the threshold `similarity` were measured, for the end of a sentence."""
        if self.whose == OWN_GALLERY:
            words = f"{self.people:,} of {self.whose} when it was calibrated ({counted(self.non_mated, 'comparison')})"
        else:
            words = f"{counted(self.non_mated, 'comparison')} of {self.people:,} people ({self.data.name})"
            words += f", {self.whose}" if self.whose else ""
        is_counted = self.smallest_modelled_fmr is None or self.fmr(similarity).value >= (self.smallest_fmr or 1)
        return words if is_counted else f"{words}, and extrapolated from the most alike of them"

    def fmr(self, similarity: float) -> Rate:
        """The false match rate of the threshold `similarity`, with its 95 % interval.

        Raises:
            ValueError: If `similarity` is NaN or no cosine.
        """
        return self.false_match.at(checked(similarity), self.similarity)

    def fnmr(self, similarity: float) -> Rate:
        """The false non-match rate of the threshold `similarity`, with its 95 % interval.

        Raises:
            ValueError: If `similarity` is NaN or no cosine.
            CalibrationError: If the calibration has no mated comparisons.
        """
        if self.false_non_match is None:
            raise self._without_mated("a false non-match rate")
        return self.false_non_match.at(checked(similarity), self.similarity)

    def fpir(self, similarity: float, gallery_size: int) -> Rate:
        """The false positive identification rate of the threshold `similarity`: 1 − (1 − FMR)^N.

        Takes the N comparisons of a probe as independent. They are positively correlated (some faces resemble
        everybody), so that the true rate is lower: the stated one errs on the safe side.
        """
        return self.fmr(similarity).any_of(gallery_size)

    def threshold(self, fmr: float, *, best_of: int = 1) -> Threshold:
        """The lowest similarity whose false match rate is `fmr` or less.

        Args:
            fmr: The wanted false match rate, between 0 and 1.
            best_of: Of how many comparisons the most alike is taken, at least 1. Its chance of a false match grows with
                them, at most in proportion (union bound), so that each, and the threshold, is held to fmr/best_of.

        Raises:
            ValueError: If an argument is out of range.
            CalibrationError: If the comparisons behind the calibration do not support so small a rate.
        """
        if not 0 < fmr < 1:
            raise ValueError(f"a false match rate lies between 0 and 1, not at {fmr}")
        if best_of < 1:
            raise ValueError(f"the best of {best_of} comparisons does not exist")
        of_each = fmr / best_of
        if not self.supports(of_each):
            what = f"A false match rate of {rate_words(fmr)}"
            if best_of > 1:
                what += f" for the most alike of {best_of:,} pairs needs one of {rate_words(of_each)} a pair, which"
            raise self._unsupported(what, _rates_from(best_of * (self.smallest_supported_fmr or 1)))
        similarity = first_at_or_below(of_each, self.similarity, self.false_match.value)
        return Threshold(
            similarity=similarity,
            low=min(similarity, first_at_or_below(of_each, self.similarity, self.false_match.low)),
            high=max(similarity, first_at_or_below(of_each, self.similarity, self.false_match.high)),
            fmr=self.fmr(similarity),
        )

    def threshold_for_fpir(self, fpir: float, gallery_size: int) -> Threshold:
        """The threshold that keeps a stranger's chance of matching anybody in a gallery at `fpir` or less.

        The false match rate that a comparison may have is 1 − (1 − FPIR)^(1/N); see `fpir` for the assumption.

        Args:
            fpir: The wanted false positive identification rate, between 0 and 1.
            gallery_size: N, with how many templates a probe is compared, at least 1.

        Raises:
            ValueError: If an argument is out of range.
            CalibrationError: If the comparisons behind the calibration do not support the rate at this size.
        """
        fmr = _fmr_of_each(fpir, gallery_size)
        if not self.supports(fmr):
            raise self._unsupported(
                f"A false positive identification rate of {rate_words(fpir)} in a gallery of {gallery_size:,} needs a "
                f"false match rate of {rate_words(fmr)} a comparison, which",
                self._supported_galleries(fpir, gallery_size),
            )
        return self.threshold(fmr)

    def log_likelihood_ratio(self, similarity: float) -> float:
        """ln(P(similarity | one person) / P(similarity | different people)), capped to what the data supports.

        Raises:
            ValueError: If `similarity` is NaN or no cosine.
            CalibrationError: If the calibration has no mated comparisons.
        """
        if self.likelihood is None:
            raise self._without_mated("a likelihood ratio")
        return self.likelihood(checked(similarity))

    def probability(self, similarity: float, prior: float = 0.5) -> float:
        """P(one person | similarity), where `prior` is P(one person) before looking at the photos.

        Raises:
            ValueError: If `similarity` is NaN or no cosine, or `prior` is not between 0 and 1.
            CalibrationError: If the calibration has no mated comparisons.
        """
        return posterior(self.log_likelihood_ratio(similarity), prior)

    def require_encoder(self, identity: str) -> None:
        """Refuse to be used for embeddings of another encoder.

        Raises:
            CalibrationError: If `identity` is not the one that the calibration was made with.
        """
        if identity != self.encoder.identity:
            raise CalibrationError(
                f"The calibration {self.name} is for the encoder {self.encoder.name} ({self.encoder.identity[:12]}…), "
                f"and the embeddings come from another one ({identity[:12]}…).",
                hint="Use that encoder, or make a calibration for this one with `mien calibrate`.",
                code="calibration.other-encoder",
            )

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the canonical form of the content, as 64 hex digits."""
        return calibration_file.hash_of(calibration_file.content_of(self))

    def to_dict(self) -> dict[str, Any]:
        """Everything, with its hash, as JSON-ready data."""
        return {**calibration_file.content_of(self), "sha256": self.sha256}

    def summary(self) -> dict[str, Any]:
        """What a decision says of its calibration: name, sha256, mated, non_mated, people, whose."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "mated": self.mated,
            "non_mated": self.non_mated,
            "people": self.people,
            "whose": self.whose or None,
        }

    def save(self, path: str | Path) -> None:
        """Write the calibration as JSON; an existing file is replaced when the new one is whole."""
        write_whole(path, calibration_file.text_of(self.to_dict()))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a calibration and check that nobody altered it.

        Raises:
            CalibrationError: If the file can't be read, is not a calibration, or was altered after it was made.
        """
        return cls.from_json(calibration_file.read(path), source=str(path))

    @classmethod
    def from_json(cls, text: str, *, source: str = "<text>") -> Self:
        """The calibration that `text` holds; `source` names it in errors.

        Raises:
            CalibrationError: As for `load`.
        """
        content = calibration_file.checked_content(text, source)
        try:
            return cls(**calibration_file.fields_of(content))
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise calibration_file.not_a_calibration(source, f"{type(error).__name__}: {error}") from error

    def _unsupported(self, what: str, instead: Sequence[str]) -> CalibrationError:
        smallest = self.smallest_supported_fmr
        least = f"{rate_words(rate_rounded_up(smallest))} or more" if smallest else "none"
        comparisons = counted(self.non_mated, "non-mated comparison")
        advice = ", or ".join([*instead, "make a calibration of more people with `mien calibrate`"])
        return CalibrationError(
            f"{what} is not supported: {comparisons} of {self.people:,} people ({self.data.name}) support {least}.",
            hint=f"{advice[0].upper()}{advice[1:]}.",
            code="calibration.unsupported-rate",
        )

    def _supported_galleries(self, fpir: float, gallery_size: int) -> list[str]:
        smallest = self.smallest_supported_fmr
        if not smallest:
            return []
        least = -math.expm1(gallery_size * math.log1p(-smallest))
        instead = [f"{advice} at this size" for advice in _rates_from(least)]
        if most := math.floor(math.log1p(-fpir) / math.log1p(-smallest)):
            instead.append(f"ask for {rate_words(fpir)} in a gallery of {most:,} or fewer")
        return instead

    def _without_mated(self, what: str) -> CalibrationError:
        return CalibrationError(
            f"The calibration {self.name} has no two photos of one person, so it can't give {what}.",
            hint="Make a calibration of people with two photos or more.",
            code="calibration.no-mated",
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Calibration) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __str__(self) -> str:
        return (
            f"{self.name} for {self.encoder.name}: "
            f"{self.mated:,} mated and {counted(self.non_mated, 'non-mated comparison')} of {self.people:,} people"
        )

    def __repr__(self) -> str:
        return f"<Calibration {self}>"


def shipped_calibration(encoder_identity: str) -> Calibration:
    """The calibration that comes with mien for the encoder of this identity.

    Raises:
        CalibrationError: If none does.
    """
    known = []
    for file in sorted(SHIPPED.glob("*.json")):
        calibration = _shipped(file)
        if calibration.encoder.identity == encoder_identity:
            return calibration
        known.append(calibration.encoder.name)
    raise CalibrationError(
        f"No calibration comes with mien for the encoder {encoder_identity[:12]}…; there is one for: "
        f"{', '.join(known) or 'none'}.",
        hint="Make one from a folder of people with `mien calibrate`, or give a threshold yourself.",
        code="calibration.none-for-encoder",
    )


@cache
def _shipped(file: Path) -> Calibration:
    """Read once: an encoder that has none is looked for in all of them, at each search in a gallery."""
    return replace(Calibration.load(file), whose=OTHER_PEOPLE)


def _rates_from(least: float) -> list[str]:
    """The advice to ask for a rate of `least` or more; none where that is all or more than all."""
    least = rate_rounded_up(least)
    return [f"ask for {rate_words(least)} or more"] if least < 1 else []


def _fmr_of_each(fpir: float, gallery_size: int) -> float:
    """The false match rate that each of `gallery_size` independent comparisons may have."""
    if not 0 < fpir < 1:
        raise ValueError(f"a false positive identification rate lies between 0 and 1, not at {fpir}")
    if gallery_size < 1:
        raise ValueError(f"a gallery of {gallery_size} has no threshold")
    return -math.expm1(math.log1p(-fpir) / gallery_size)


def checked(similarity: float) -> float:
    """`similarity` within [−1, 1]; a rounding error beyond it is forgiven.

    Raises:
        ValueError: If it is NaN or farther out.
    """
    if not abs(similarity) <= 1.0001:
        raise ValueError(f"a cosine similarity lies between -1 and 1, not at {similarity}")
    return min(1.0, max(-1.0, float(similarity)))


def posterior(log_likelihood_ratio: float, prior: float) -> float:
    """P(one person) after evidence of this natural log-likelihood ratio, by Bayes' rule.

    Raises:
        ValueError: If `prior` is not between 0 and 1.
    """
    if not 0 < prior < 1:
        raise ValueError(f"a prior probability lies between 0 and 1, not at {prior}")
    log_odds = log_likelihood_ratio + math.log(prior) - math.log1p(-prior)
    return float(np.exp(-np.logaddexp(0, -log_odds)))  # SciPy's expit, whose import takes longer than a decision


def first_at_or_below(rate: float, grid: NDArray[np.float64], curve: NDArray[np.float64]) -> float:
    """The lowest similarity at which the falling `curve`, linear between the points of `grid`, is `rate` or less.

    The last point of the grid if the curve never comes down so far.
    """
    after = int(np.searchsorted(-curve, -rate, side="left"))
    if after == 0:
        return float(grid[0])
    if after == len(curve):
        return float(grid[-1])
    before = after - 1
    share = (curve[before] - rate) / (curve[before] - curve[after])
    return float(grid[before] + share * (grid[after] - grid[before]))
