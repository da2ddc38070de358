"""The page of a run: what came out, how it got there, and everything it depended on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mien._version import __version__
from mien.evaluation import VerificationMeasures
from mien.evaluation.reports.drawn import Drawn
from mien.evaluation.reports.measure_words import Cell, cell
from mien.evaluation.reports.page import plot, render_page
from mien.training.recipe import Recipe
from mien.training.reports import figures
from mien.training.reports.run_tables import RunTables
from mien.training.trainer.head_watch import OTHER, OWN
from mien.training.trainer.run_folder import RECIPE, REPORT, RESULT, SCATTER, read_run_recipe
from mien.whole_files import write_whole


def write_report(folder: Path, measures: VerificationMeasures) -> Path:
    """Write the page of a run that is over into its folder as ``report.html``, one file with everything in it.

    Args:
        folder: The run's, with its recipe, its tables and its result.
        measures: On the validation set, by the best network.

    Returns:
        The file.
    """
    recipe, tables = read_run_recipe(folder), RunTables(folder)
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    page = render_page(
        "run.html.j2",
        "mien.training.reports",
        title=recipe.title or folder.name,
        cells=_cells(measures),
        result=result,
        minutes=f"{result['seconds'] / 60:,.1f}",
        speed=f"{tables.steps['crops_per_second'][-1]:,.0f}",
        memory=f"{result['peak_bytes'] / 1e9:,.1f}",
        figures=list(_figures(recipe, tables, folder, result)),
        recipe=(folder / RECIPE).read_text(encoding="utf-8"),
        version=__version__,
    )
    file = folder / REPORT
    write_whole(file, page)
    return file


def _cells(measures: VerificationMeasures) -> dict[str, Cell]:
    named = {"AUC": measures.auc, "EER": measures.eer}
    named |= {f"TMR at FMR {rate}": measures.tar_at_far[rate] for rate in ("1e-1", "1e-2", "1e-3")}
    return {name: cell(measure, "share") for name, measure in named.items()}


def _figures(recipe: Recipe, tables: RunTables, folder: Path, result: dict[str, Any]) -> Iterator[Drawn]:
    fmr = recipe.validation.fmr
    stages = " Dashed lines part the stages." if len(tables.stages) > 1 else ""
    yield Drawn(
        "Loss",
        f"On the batches, which are augmented: each logged step faint, their moving mean full.{stages}",
        plot(figures.loss_figure(tables), "Loss over the steps"),
    )
    yield Drawn(
        "Verifying strangers",
        "People the network never learnt from. Band: 95 % interval of the TMR over people. Ring: the best "
        f"validation, whose network is kept and exported.{stages}",
        plot(figures.verification_figure(tables, fmr, result["best_step"]), "TMR and AUC over the steps"),
    )
    yield Drawn(
        "Within a person and between people",
        "Cosines of the strangers' pairs: medians; four of five pairs lie in the band. The further apart, the better.",
        plot(figures.distances_figure(tables), "Cosines of mated and non-mated pairs over the steps"),
    )
    if not np.isnan(tables.accuracy_until(tables.validations["step"])).all():
        yield Drawn(
            "Naming against verifying",
            "A network can go on learning whom it is shown by heart when it has ceased to get better on others; what "
            "counts for open sets is the second. Named: batches as they are learnt from, by the largest logit.",
            plot(figures.naming_figure(tables), "Accuracy on people learnt from and AUC on strangers"),
        )
    if tables.angles(OWN) and tables.angles(OTHER):
        yield Drawn(
            "Angles θ to the class vectors",
            "Of the crops learnt from, to their own person's vector and to the nearest other. Dotted: until the "
            "first validation; filled: before the last.",
            plot(figures.angles_figure(tables), "Histograms of angles to class vectors"),
        )
    if tables.curves:
        yield Drawn(
            "What the loss asks for",
            "The logit of a crop's own class over its angle, as the loss takes it; dashed, without the margin. The gap "
            "is what training must make up for.",
            plot(figures.target_logit_figure(tables.curves), "Logit of the own class over the angle"),
        )
    yield Drawn("Learning rate", "Of the backbone.", plot(figures.rate_figure(tables), "Learning rate over the steps"))
    if (folder / SCATTER).exists():
        with np.load(folder / SCATTER) as kept:
            embeddings, labels = kept["embeddings"], kept["labels"]
        yield Drawn(
            "The embedding itself",
            f"{len(labels):,} crops of {len(np.unique(labels))} people learnt from, coloured by person.",
            plot(figures.scatter_figure(embeddings, labels), "Embeddings as points, coloured by person"),
        )
