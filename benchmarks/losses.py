"""Every loss on real photos; and wide sets against deep ones."""

from collections.abc import Sequence

from benchmarks.arms import SEEDS, points, small_recipe
from benchmarks.outside import Outside
from benchmarks.results import KEPT, PAGES, percent, table
from benchmarks.training_photos import TRAINING, crops_folder, left_out_list
from benchmarks.which_photos import wide_or_deep
from mien.cli.output import progress_shown, say
from mien.training.comparing import LossComparison, compare_losses
from mien.training.comparing.figures import measure_figure
from mien.training.comparing.page import write_page
from mien.training.comparing.run_measures import RANKED_BY
from mien.training.comparing.standings import Standing
from mien.training.comparing.tables import write_tables
from mien.training.recipe import Recipe

FOLDER = KEPT / "losses"
PHOTOS_PER_PERSON = 20
EPOCHS = 8
"""With them, all the table's runs take less than two hours of two cores."""


def measure() -> str:
    """Measure both; every run is kept in bench-results/losses, so that an interrupted benchmark carries on."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with progress_shown():
        parts = [_losses(), wide_or_deep(FOLDER, Outside())]
    return (
        "# Which loss, and how many people?\n\nSmall networks trained for minutes, to compare, not to be good. "
        "Nobody in LFW or celeba_test is learnt from, neither by name nor as far as SFace can tell, and nobody "
        "under two names. Intervals are 95 %, for other people and other seeds. LFW: view 2, the mean of ten folds, "
        "the mirror image added.\n\n" + "\n".join(parts)
    )


def _losses() -> str:
    comparison = compare_losses(_table_recipe(), FOLDER / "table", seeds=SEEDS, tell=say)
    write_tables(comparison, FOLDER / "table")
    write_page(comparison, FOLDER / "table", "python -m benchmarks losses")
    PAGES.mkdir(parents=True, exist_ok=True)
    measure_figure(comparison.standings, RANKED_BY).savefig(PAGES / "losses.svg", metadata={"Date": None})
    facts = comparison.facts
    minutes = sum(run.seconds for one in comparison.standings for run in one.by_seed.values()) / 60
    return (
        f"## Every loss, {SEEDS} seeds\n\nLearnt from {facts['learnt from']} ({', '.join(TRAINING)}; at most "
        f"{PHOTOS_PER_PERSON} of a person); steps: {facts['steps of each run']}, {facts['size of the crops']}, "
        f"{facts['backbone']}; {facts['optimiser']}. Verified: {facts['verified']}. Named: "
        f"{facts['named in the closed set']}. All training together took {minutes:.0f} minutes.\n\n"
        "![TMR at FMR 1e-2 of every loss](losses.svg)\n\n"
        + table(
            (
                "loss",
                "arguments",
                "TMR at FMR 1e-2",
                "at FMR 1e-3",
                "AUC",
                "EER",
                "verification accuracy",
                "closed set",
                f"TMR ahead of {comparison.reference}, points",
                "seconds",
                "MB",
            ),
            [_row(one, comparison) for one in comparison.standings],
        )
    )


def _row(one: Standing, comparison: LossComparison) -> Sequence[str]:
    if not one.by_seed:
        return (one.title, one.described, *[next(iter(one.failures.values())).message], *[""] * 8)
    failed = f" ({len(one.failures)} of {comparison.seeds} runs failed)" if one.failures else ""
    return (
        f"{one.title}{failed}",
        one.described,
        *(percent(measure) for measure in one.measures.values()),
        points(one.ahead) if one.ahead else "",
        f"{one.seconds:.0f}",
        f"{one.peak_bytes / 1e6:.0f}",
    )


def _table_recipe() -> Recipe:
    return small_recipe(
        [{"crops": str(crops_folder(name)), "name": name, "photos_per_person": PHOTOS_PER_PERSON} for name in TRAINING],
        epochs=EPOCHS,
        leave_out=left_out_list(),
    )
