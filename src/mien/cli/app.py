"""The command `mien`: its sub-commands, and how each of them ends."""

import os
import sys
from typing import Annotated

import click
import typer

from mien._version import __version__
from mien.cli import calibrate, cluster, demo, detect, embed, gallery, match, models, synth, verify
from mien.cli.output import ExitCode, print_json, say
from mien.errors import MienError

app = typer.Typer(
    name="mien",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Face verification, open-set identification and clustering whose every decision states its error rate.",
    epilog="Exit codes: 0 yes or done · 1 a clean no (no match, unknown, ambiguous) · 2 wrong usage · 3 an input "
    "can't be used · 4 something is missing · 5 done, but some items failed · 130 interrupted.",
)
app.command()(verify.verify)
app.command()(detect.detect)
app.command()(embed.embed)
app.command()(gallery.enroll)
app.command()(gallery.identify)
app.add_typer(gallery.people, name="people")
app.command()(cluster.cluster)
app.command()(match.match)
app.command()(calibrate.calibrate)
app.command()(synth.synth)
app.add_typer(models.models, name="models")
app.command()(demo.demo)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"mien {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; ends the process with one of the documented exit codes."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(arguments, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        code = ExitCode.USAGE
    except click.ClickException as error:
        say(f"mien: {error.format_message()}")
        if isinstance(error, click.UsageError) and error.ctx is not None:
            say(f"Try '{error.ctx.command_path} --help'.")
        code = ExitCode.USAGE
    except MienError as error:
        if "--json" in arguments:
            print_json({"error": error.to_dict()})
        say(f"mien: {error}")
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        say("mien: interrupted; what was done is kept, and the same command goes on from there.")
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough (`mien … | head`); leave nothing for the interpreter to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.DONE
    sys.exit(code or 0)
