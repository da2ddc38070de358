"""The protocols as commands: what each one asks for, beside the options that all of them have."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mien.cli.options import share
from mien.cli.outputs import refuse_to_write_over_inputs

if TYPE_CHECKING:
    from mien.evaluation import EvaluationProtocol

Opening = Callable[..., "EvaluationProtocol"]
PeopleArgument = Annotated[Path, typer.Argument(help="A folder with a folder of photos for each person.")]

_OUTPUTS = ("report", "csv", "output", "embeddings")
"""The options that name what is written."""


def share_if_any(value: float | None) -> float | None:
    """Refuse what is given and not strictly between 0 and 1."""
    return None if value is None else share(value)


def lfw(
    folder: Annotated[Path, typer.Argument(help="The photos, NAME/NAME_0001.jpg, with the lists of pairs.")],
    view: Annotated[
        Literal["1", "2"],
        typer.Option(help="2: pairs.txt. 1: the threshold of pairsDevTrain.txt on pairsDevTest.txt."),
    ] = "2",
    pairs: Annotated[Path | None, typer.Option(help="Another list than pairs.txt, such as that of XQLFW.")] = None,
) -> "EvaluationProtocol":
    """Labeled Faces in the Wild: ten folds, the threshold of each from the other nine."""
    return _opened("lfw", folder, view=view, pairs=pairs)


def pairs(
    listed: Annotated[
        Path,
        typer.Argument(metavar="LIST", help="The list of pairs, or the folder Protocol of CFP.", show_default=False),
    ],
    photos: Annotated[
        Path | None, typer.Option(help="The folder that its names start from; by default the list's own.")
    ] = None,
    kind: Annotated[
        Literal["FF", "FP"], typer.Option(help="Of CFP: frontal with frontal, or frontal with profile.")
    ] = "FP",
) -> "EvaluationProtocol":
    """A list of pairs, as of LFW, XQLFW, CALFW, CPLFW, AgeDB-30 or CFP, or a CSV (first,second,mated)."""
    return _opened("pairs", listed, photos=photos, kind=kind)


def bin_(
    file: Annotated[Path, typer.Argument(help="Such as lfw.bin, cfp_fp.bin, agedb_30.bin.")],
) -> "EvaluationProtocol":
    """Pairs of aligned crops in a .bin file of insightface, which is read without unpickling."""
    return _opened("bin", file)


def people(
    folder: PeopleArgument,
    pairs: Annotated[
        int | None, typer.Option(min=1, help="Draw this many pairs of each kind instead of comparing all.")
    ] = None,
    seed: int = 0,
) -> "EvaluationProtocol":
    """A folder of people: every photo with every other."""
    return _opened("people", folder, pairs=pairs, seed=seed)


def templates(
    listed: Annotated[Path, typer.Argument(metavar="LIST", help="A CSV (template,subject,media,photo).")],
    photos: Annotated[
        Path | None, typer.Option(help="The folder that the photos' names start from; by default the list's own.")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="A CSV (first,second) of templates; by default each with every other.")
    ] = None,
    gallery: Annotated[
        Path | None, typer.Option(help="A CSV (template): search those of --probes among these.")
    ] = None,
    probes: Annotated[Path | None, typer.Option(help="A CSV (template).")] = None,
) -> "EvaluationProtocol":
    """Templates of several photos and video frames each, as in IJB: compared, or searched in a gallery."""
    return _opened("templates", listed, photos=photos, pairs=pairs, gallery=gallery, probes=probes)


def open_set(
    folder: PeopleArgument,
    enrolled: Annotated[
        int, typer.Option(min=1, help="Photos of each known person in the gallery; the others are probes.")
    ] = 1,
    strangers: Annotated[
        float | None,
        typer.Option(
            callback=share_if_any,
            help="Draw this share of the people as strangers; by default all with too few photos.",
        ),
    ] = None,
    fpir: Annotated[
        float,
        typer.Option(
            callback=share, help="Measure at the threshold that, by the calibration, keeps this FPIR at N too."
        ),
    ] = 0.01,
    normalisation: Annotated[
        Literal["none", "z", "t", "s-adaptive"],
        typer.Option(help="Make similarities comparable between templates, by a cohort of strangers."),
    ] = "none",
    cohort: Annotated[int, typer.Option(min=2, help="Photos of strangers drawn for --normalisation.")] = 300,
    seed: int = 0,
) -> "EvaluationProtocol":
    """A folder of people, some known and some strangers: open-set identification, 1:N."""
    return _opened(
        "open-set",
        folder,
        enrolled=enrolled,
        strangers=strangers,
        fpir=fpir,
        normalisation=normalisation,
        cohort=cohort,
        seed=seed,
    )


def course(
    gallery: Annotated[
        Path, typer.Argument(help="The known people: a folder of NAME.jpg or NAME/…, or a CSV (photo,person).")
    ],
    probes: Annotated[Path, typer.Argument(help="Photos to name: a folder, or a text file with a path a line.")],
    truth: Annotated[
        Path | None, typer.Option(help="A CSV (probe,person), to score the answers; strangers are unknown.")
    ] = None,
    labelled: Annotated[bool, typer.Option("--labelled", help="The probes' folders say who they show.")] = False,
    fpir: Annotated[
        float, typer.Option(callback=share, help="Decide at this false positive identification rate.")
    ] = 0.01,
) -> "EvaluationProtocol":
    """The best of the known people for each probe, or unknown below the threshold; -o writes the submission."""
    return _opened("course", gallery, probes, truth=truth, labelled=labelled, fpir=fpir)


def closed_set(
    folder: PeopleArgument,
    train: Annotated[
        float, typer.Option(callback=share, help="The share of each person's photos that classifiers learn from.")
    ] = 0.5,
    neighbours: Annotated[int, typer.Option(min=1, help="How many nearest neighbours vote.")] = 5,
    seed: int = 0,
) -> "EvaluationProtocol":
    """A folder of people: nearest template, nearest neighbours and logistic regression, nobody unknown."""
    return _opened("closed-set", folder, train=train, neighbours=neighbours, seed=seed)


def clustering(
    folder: PeopleArgument,
    fmr: Annotated[float, typer.Option(callback=share, help="Put faces together at this false match rate.")] = 1e-4,
    method: Annotated[Literal["graph", "agglomerative"], typer.Option(help="How groups are found.")] = "graph",
) -> "EvaluationProtocol":
    """A folder of people: how right are the groups that are made of all their photos?"""
    return _opened("clustering", folder, fmr=fmr, method=method)


OPENINGS: tuple[Opening, ...] = (lfw, pairs, bin_, people, templates, open_set, course, closed_set, clustering)


def with_options(
    opening: Opening, options: type[Any], run: Callable[["EvaluationProtocol", Any, str], int], parent: str
) -> Callable[..., int]:
    """A command that opens a protocol, and does with it what the options say.

    Args:
        opening: Its parameters are the command's first; a `seed` is the options'.
        options: A dataclass whose fields are the others, each with a default.
        run: What is done: called with the protocol, the options, and the command in words.
        parent: The command that this one is below.
    """
    name = opening.__name__.rstrip("_").replace("_", "-")
    asked = inspect.signature(opening).parameters
    shared = {
        field.name: inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=field.type,
        )
        for field in fields(options)
    }
    parameters = {**{key: one for key, one in asked.items() if key not in shared}, **shared}

    def action(*_: object, **given: Any) -> int:
        chosen = options(**{key: given[key] for key in shared})
        refuse_to_write_over_inputs(_paths(given, asked), _paths(given, _OUTPUTS))
        protocol = opening(**{key: given[key] for key in asked})
        return run(protocol, chosen, _written(f"mien {parent} {name}", parameters, given))

    action.__name__ = name
    action.__doc__ = opening.__doc__
    action.__annotations__ = {key: one.annotation for key, one in parameters.items()}
    action.__signature__ = inspect.Signature(list(parameters.values()))  # type: ignore[attr-defined]
    return action


def _written(command: str, parameters: Mapping[str, inspect.Parameter], given: Mapping[str, Any]) -> str:
    """The command as it was given, without what it writes; of a path only the last part."""
    from mien.evaluation.protocols.protocol import last_part

    words = [command]
    for key, one in parameters.items():
        value = given[key]
        if one.kind is not inspect.Parameter.KEYWORD_ONLY and one.default is inspect.Parameter.empty:
            words.append(last_part(value))
        elif value != one.default and key not in ("json", *_OUTPUTS):
            option = "--" + key.replace("_", "-")
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, bool):
                    words.append(option if each else f"--no-{key}")
                else:
                    words += [option, last_part(each) if isinstance(each, Path) else str(each)]
    return " ".join(words)


def _paths(given: Mapping[str, Any], keys: Iterable[str]) -> list[Path]:
    return [value for key in keys if isinstance(value := given.get(key), Path)]


def _opened(name: str, *arguments: Any, **options: Any) -> "EvaluationProtocol":
    from mien.evaluation import PROTOCOLS

    return PROTOCOLS[name](*arguments, **options)
