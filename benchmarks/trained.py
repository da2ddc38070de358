"""Encoders trained by the shipped recipes on the real training sets, judged on people whom none of them saw."""

import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from benchmarks.arms import points
from benchmarks.encoder_speed import speed_table
from benchmarks.outside import Outside
from benchmarks.results import KEPT, percent, table
from benchmarks.training_photos import TRAINING, crops_folder, left_out_list
from mien.cli.output import progress_shown, say
from mien.training.exporting import export_run
from mien.training.recipe import Recipe, read_recipe
from mien.training.reports.run_tables import RunTables
from mien.training.trainer import train
from mien.training.trainer.memory import keep_freed_memory

FOLDER = KEPT / "trained"
START = FOLDER / "sface"
"""SFace as it is shipped, judged as the runs are."""


def scratch() -> str:
    """`mien train scratch`: from nothing but named photos."""
    run, outside = _trained("scratch"), Outside()
    return (
        "# An encoder from nothing\n\n"
        f"`mien train scratch`, on {', '.join(TRAINING)}. {_course(run)}\n\n{_judged(outside, {'from scratch': run})}"
    )


def finetune() -> str:
    """`mien train finetune`: SFace adapted to the training sets' people; is it better than its start?"""
    run, outside = _trained("finetune"), Outside()
    start = outside.encoder_judged("sface", START)
    adapted = outside.encoder_judged(str(_exported(run)[0]), run)
    differences = outside.ahead_on_celeba(adapted, start)
    return (
        "# SFace, adapted\n\n"
        f"`mien train finetune`, on {', '.join(TRAINING)}; judged as exported. {_course(run)}\n\n"
        f"{_judged(outside, {'SFace': start, 'adapted': adapted})}\n"
        "Adapted less SFace, in points, on the same comparisons; celeba_test: paired bootstrap over people, LFW: over "
        "the folds.\n\n"
        + table(
            ("", "difference", "p"),
            [
                *((name, points(one), f"{one.p_value:.2g}") for name, one in differences.items()),
                ("LFW accuracy", points(outside.lfw_difference(adapted, start)), ""),
            ],
        )
    )


def student() -> str:
    """`mien train student`: a small network that imitates SFace; how near does it come, and how much faster is it?"""
    run, outside = _trained("student"), Outside()
    whole, small = _exported(run, int8=True)
    judged = {
        "SFace": outside.encoder_judged("sface", START),
        "student": outside.encoder_judged(str(whole), run),
        "student, int8": outside.encoder_judged(str(small), run / "int8"),
    }
    cards = {"SFace": "sface", "student": str(whole), "student, int8": str(small)}
    return (
        "# A student of SFace\n\n"
        f"`mien train student`, on {', '.join(TRAINING)}; judged as exported. {_course(run)}\n\n"
        f"{_judged(outside, judged)}\n## Speed\n\n{speed_table(cards)}"
    )


def _exported(run: Path, *, int8: bool = False) -> tuple[Path, ...]:
    """The cards of a run's encoder in each of its forms, which are exported where they aren't yet."""
    folder = run / "encoder"
    cards = tuple(folder / f"{run.name}{form}.toml" for form in (("", "-int8") if int8 else ("",)))
    if not all(card.exists() for card in cards):
        export_run(run, folder, int8=int8, overwrite=True, tell=say)
    return cards


def _trained(name: str) -> Path:
    """The run of a shipped recipe; what is there already is not trained again."""
    folder = FOLDER / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    with progress_shown():
        train(_recipe(name), folder, tell=say)
    return folder


def _recipe(name: str) -> Recipe:
    sources = ", ".join(f'{{crops = "{crops_folder(one).resolve()}", name = "{one}"}}' for one in TRAINING)
    changes = [
        f"data.sources=[{sources}]",
        f"data.leave_out={left_out_list().resolve()}",
        f"data.cache={KEPT / 'cache'}",
        "validation.every=3",
    ]
    if shutil.which("g++"):
        changes.append("training.compile=true")
    if name == "student" and find_spec("openvino"):
        changes.append("teacher.precision=bf16")
    return read_recipe(Path(name), changes)


def _course(run: Path) -> str:
    tables = RunTables(run)
    people = len((run / "people.txt").read_text(encoding="utf-8").splitlines())
    stages = ", ".join(f"{name} to step {step:,}" for name, step in tables.stages)
    return (
        f"{people} people, {stages}. Nobody in LFW or celeba_test is learnt from, neither by name nor as far as SFace "
        "can tell. Crops of the most central face; intervals are 95 %, over people, on LFW over the ten folds."
    )


def _judged(outside: Outside, runs: dict[str, Path]) -> str:
    rows: list[Sequence[str]] = [
        (
            name,
            percent(outside.lfw_accuracy(run, flip=False)),
            percent(outside.lfw_accuracy(run)),
            *(percent(outside.on_celeba(run, measure)) for measure in ("tmr", "tmr_1e-3", "auc")),
        )
        for name, run in runs.items()
    ]
    return table(
        (
            "encoder",
            "LFW accuracy",
            "with flip",
            "celeba_test, with flip: TMR at FMR 1e-2",
            "at FMR 1e-3",
            "AUC",
        ),
        rows,
    )
