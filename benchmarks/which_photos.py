"""The same network and loss on other photos: wide or deep, and with people who don't exist."""

from pathlib import Path

from benchmarks.arms import LOSS, SEEDS, STEPS, Arm, Arms, drawn_photos
from benchmarks.outside import Outside
from benchmarks.results import KEPT
from benchmarks.training_photos import TRAINING, people_of
from mien.cli.output import progress_shown, say
from mien.training.data.crop_set import cut_crops
from mien.training.data.sources import SyntheticPeople

REAL_PHOTOS = 10
SYNTHETIC_PEOPLE, SYNTHETIC_PHOTOS = 200, 12


def wide_or_deep(folder: Path, outside: Outside) -> str:
    wide, pool = people_of("cfp"), people_of("pins", "casia", "glint")
    photos = len(wide) - 3 * len(wide.people)  # two of each are kept back to be named; nobody has to give all the rest
    few = Arm(
        "deep-pool",
        "few people, many photos each: pins, casia, glint",
        lambda seed: drawn_photos(pool, photos, seed=seed),
    )
    many = Arm(
        "wide-cfp",
        "many people, few photos each: cfp",
        lambda seed: drawn_photos(wide, photos, people=len(wide.people), seed=seed),
    )
    same = Arm(
        "wide-pool",
        "many people, few photos each: pins, casia, glint",
        lambda seed: drawn_photos(pool, photos, people=len(pool.people), seed=seed),
    )
    arms = Arms(folder / "wide-or-deep", outside)
    arms.finish((many, same, few), say)
    return (
        f"## Wide or deep?\n\n{photos:,} photos each time, {LOSS}, {STEPS} steps, {SEEDS} seeds, which also draw the "
        "people and photos. Of cfp's photos, four in fourteen are profiles; whether it is the number of people or the "
        "photos themselves that count, one pool taken both ways tells.\n\n"
        + arms.table((many, same, few))
        + "\nDifferences in points, on the same comparisons:\n\n"
        + arms.differences(((many, few), (same, few), (many, same)))
    )


def synthetic_beside_real() -> str:
    """Measure it; every run is kept in bench-results/losses, so that an interrupted benchmark carries on."""
    made = KEPT / "crops" / "synthetic"
    cut_crops(made, SyntheticPeople(SYNTHETIC_PEOPLE, SYNTHETIC_PHOTOS, variation=1.0, aligned=True), aligned=True)
    real = people_of(*TRAINING)

    def arm(name: str, title: str, *beside: Path) -> Arm:
        people = len(real.people)
        return Arm(name, title, lambda seed: drawn_photos(real, people * REAL_PHOTOS, people=people, seed=seed), beside)

    both = arm("real-and-synthetic", f"all real people and {SYNTHETIC_PEOPLE} synthetic", made)
    alone = arm("real", "all real people")
    trained = Arms(KEPT / "losses" / "synthetic", Outside())
    with progress_shown():
        trained.finish((both, alone), say)
    return (
        f"# Do people who don't exist help?\n\n{LOSS}, {STEPS} steps each time, {SEEDS} seeds, which also draw the "
        f"photos; {REAL_PHOTOS} of each real person. Synthetic people are learnt beside the real ones, as "
        "further classes, in the same batches; the steps are as many, so that real photos are seen less often.\n\n"
        + trained.table((both, alone))
        + "\nDifferences in points, on the same comparisons:\n\n"
        + trained.differences([(both, alone)])
    )
