"""A table of losses that nobody trained, for its page and its files."""

from mien.evaluation import Estimate, Measure, Unsupported
from mien.training.comparing import MEASURES, LossComparison, RunFailure, RunMeasures, base_recipe
from mien.training.comparing.standings import Standing, make_standing, ranked

COLLAPSED = RunFailure("training.collapsed", "The embeddings <have> collapsed.")


def share(value: float, half: float = 0.05) -> Estimate:
    return Estimate(value, max(value - half, 0), min(value + half, 1))


def make_comparison() -> LossComparison:
    def standing(name: str, title: str, tmr: float, ahead: Measure | None, *failed: int) -> Standing:
        def run(seed: int) -> RunMeasures | RunFailure:
            if seed in failed:
                return COLLAPSED
            measures: dict[str, Measure] = {key: share(tmr + 0.01 * seed) for key in MEASURES}
            measures["tmr_at_fmr_1e-3"] = Unsupported("not supported by 6,900 non-mated comparisons")
            return RunMeasures(measures, 60.0 + seed, 500_000_000, 120)

        return make_standing(
            name, title, "s 32.0, m 0.3" if name != "softmax" else "", {n: run(n) for n in range(3)}, ahead
        )

    standings = [
        standing("softmax", "softmax", 0.5, None),
        standing("arcface", "ArcFace", 0.6, share(0.1)),
        standing("cosface", "Cos<b>Face", 0.55, share(0.05, 0.06), 1),
        standing("circle", "circle", 0.4, Estimate(-0.1, -0.15, -0.05)),
        standing("triplet", "triplet", 0.0, None, 0, 1, 2),
    ]
    facts = {"learnt from": "9,123 photos of 612 people", "steps of each run": "120 of 64 crops"}
    return LossComparison(tuple(ranked(standings)), "softmax", 3, base_recipe(), facts)
