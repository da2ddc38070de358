"""The command `mien`: its sub-commands, and how each of them ends."""

import os
import signal
import sys
import traceback
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
RESUMABLE = (embed.embed, synth.synth, train.train, bench.losses)
STOPS = ("SIGTERM", "SIGHUP")
"""Signals that stop a command as Ctrl-C does: a service is stopped, a terminal closed."""


def command(parent: typer.Typer, action: Callable[Arguments, int]) -> None:
    """Add a command that ends with the exit code that `action` returns, or with that of the error that it raises."""

    @wraps(action)
    def ending(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        as_json = bool(kwargs.get("json"))
        try:
            code = action(*args, **kwargs)
            sys.stdout.flush()  # before the exit code says that all went well
        except (typer.BadParameter, typer.Exit, typer.Abort):
            raise  # Typer says them itself
        except MienError as error:
            say(f"mien: {error}")
            code = _print_error(error.to_dict(), error.exit_code, as_json=as_json)
        except BrokenPipeError:
            code = _reader_gone()
        except OSError as error:
            sentence = f"{error.filename or 'A file, or the output,'} can't be used: {error.strerror or error}."
            say(f"mien: {sentence}")
            problem = {"code": "file", "message": sentence, "hint": ""}
            code = _print_error(problem, ExitCode.UNUSABLE, as_json=as_json)
        except KeyboardInterrupt:
            of_a_folder = action is gallery.enroll and kwargs.get("folder") is not None  # one person is all or nothing
            resumable = action in RESUMABLE or of_a_folder or kwargs.get("embeddings") is not None
            kept = "; what was done is kept, and the same command goes on from there" if resumable else ""
            say(f"mien: interrupted{kept}.")
            code = ExitCode.INTERRUPTED
        except Exception as error:  # an error of ours must not end as Python's do, with 1: that is a clean no
            traceback.print_exc()
            say("mien: this is an error in mien itself; please report it with the lines above.")
            problem = {"code": "bug", "message": f"{type(error).__name__}: {error}", "hint": "Please report it."}
            code = _print_error(problem, ExitCode.BUG, as_json=as_json)
        raise typer.Exit(code)

    parent.command(action.__name__.rstrip("_"))(ending)


def _print_error(problem: dict[str, str], code: int, *, as_json: bool) -> int:
    """Print why there is no result, if JSON is asked for as it should be; the exit code."""
    try:
        if as_json and code != ExitCode.USAGE:
            print_json({"error": problem})
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_gone()
    except OSError:  # the output itself is what can't be written
        _let_go_of_output()
    return code


def _reader_gone() -> int:
    """Whoever read our output has had enough (`mien … | head`)."""
    _let_go_of_output()
    return ExitCode.READER_GONE


def _let_go_of_output() -> None:
    """Leave nothing that Python would fail to write at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
        "70 an error in mien · 130 interrupted · 141 whoever read the output has gone.",
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
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name may be any bytes
    for name in STOPS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:  # nohup wants its own way
            signal.signal(number, signal.default_int_handler)
    make_app()()


def _open_what_is_closed() -> None:
    """Give an output that was closed before we started (`mien … >&-`), where Python has None, to nobody."""
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


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
