"""The command `mien`: its sub-commands, and how each of them ends."""

import os
import sys
from collections.abc import Callable
from functools import wraps
from io import TextIOWrapper
from typing import Annotated, ParamSpec

import typer

from mien._version import __version__
from mien.cli import (
    bench,
    calibrate,
    cluster,
    compare_models,
    config,
    demo,
    detect,
    embed,
    evaluate,
    export,
    gallery,
    match,
    models,
    synth,
    train,
    verify,
)
from mien.cli.output import ExitCode, print_json, say
from mien.errors import MienError

Arguments = ParamSpec("Arguments")
RESUMABLE = (embed.embed, gallery.enroll, synth.synth, train.train, bench.losses)


def command(parent: typer.Typer, action: Callable[Arguments, int]) -> None:
    """Add a command that ends with the exit code that `action` returns, or with that of the error that it raises."""

    @wraps(action)
    def ending(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            code = action(*args, **kwargs)
        except MienError as error:
            if kwargs.get("json"):
                print_json({"error": error.to_dict()})
            say(f"mien: {error}")
            code = error.exit_code
        except BrokenPipeError:
            # Whoever read our output has had enough (`mien … | head`); leave nothing to flush at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = ExitCode.DONE
        except OSError as error:
            sentence = f"{error.filename or 'A file'} can't be used: {error.strerror or error}."
            if kwargs.get("json"):
                print_json({"error": {"code": "file", "message": sentence, "hint": ""}})
            say(f"mien: {sentence}")
            code = ExitCode.UNUSABLE
        except KeyboardInterrupt:
            resumable = action in RESUMABLE or kwargs.get("embeddings") is not None
            kept = "; what was done is kept, and the same command goes on from there" if resumable else ""
            say(f"mien: interrupted{kept}.")
            code = ExitCode.INTERRUPTED
        raise typer.Exit(code)

    parent.command(action.__name__.rstrip("_"))(ending)


def make_app() -> typer.Typer:
    """The command line with all its commands."""
    app = typer.Typer(
        name="mien",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Face verification, open-set identification and clustering whose every decision states its error rate.",
        epilog="Exit codes: 0 yes or done · 1 a clean no (no match, unknown, ambiguous) · 2 wrong usage · 3 an input "
        "is missing or can't be used · 4 weights or an extra are missing · 5 done, but some items failed · "
        "130 interrupted.",
    )
    app.callback()(_options)
    for action in (
        verify.verify,
        detect.detect,
        embed.embed,
        gallery.enroll,
        gallery.identify,
        cluster.cluster,
        match.match,
        calibrate.calibrate,
        synth.synth,
        train.train,
        export.export,
        demo.demo,
    ):
        command(app, action)
    for group in (
        evaluate.EVALUATE,
        compare_models.COMPARE_MODELS,
        bench.BENCH,
        gallery.PEOPLE,
        models.MODELS,
        config.CONFIG,
    ):
        below = typer.Typer(help=group.help, no_args_is_help=True)
        for action in group.commands:
            command(below, action)
        app.add_typer(below, name=group.name)
    return app


def main() -> None:
    """Run the command line; ends the process with one of the documented exit codes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name may be any bytes
    make_app()()


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"mien {__version__}")
        raise typer.Exit


def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand == config.CONFIG.name:
        return  # which shows what is wrong with the files
    try:
        settings = {name: value for name, (value, _) in config.read_settings().items()}
    except MienError as error:
        say(f"mien: {error}")
        raise typer.Exit(error.exit_code) from error
    context.default_map = config.defaults_for(context.command, settings)
