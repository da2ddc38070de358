"""`mien models`: which networks there are, and where their weights come from."""

from pathlib import Path

from mien.cli.options import JsonOption
from mien.cli.output import ExitCode, Group, print_json, print_line, progress_shown, say


def list_(json: JsonOption = False) -> int:
    """List the networks that mien knows, and whether their weights are here."""
    from mien.errors import MienError
    from mien.models import find_weights, list_cards

    rows = []
    for card in list_cards():
        try:
            where = [str(find_weights(one)) for one in ([card] if card.file else [m for m, _ in card.members])]
            missing = ""
        except MienError as problem:
            where, missing = [], str(problem)
        rows.append(
            {
                "name": card.name,
                "title": card.title,
                "task": card.task,
                "licence": card.licence,
                "files": where,
                "missing": missing,
            }
        )
    if json:
        print_json(rows)
    else:
        for row in rows:
            print_line(row["name"], row["task"], row["title"], row["missing"] or "ready")
    return ExitCode.DONE


def show(name: str, json: JsonOption = False) -> int:
    """Show the card of a network: licence, contracts, training, figures, limits."""
    from dataclasses import asdict

    from mien.models import load_card

    card = load_card(name)
    about = {
        **asdict(card),
        "path": card.path and str(card.path),
        "folder": card.folder and str(card.folder),
        "identity": card.identity(),
    }
    if json:
        print_json(about)
    else:
        for key, value in about.items():
            if value not in ("", None, ()):
                print_line(f"{key}: {value}")
    return ExitCode.DONE


def fetch(name: str) -> int:
    """Fetch the weights of a network from its official address: the only command that uses the network."""
    from mien.models import fetch as fetch_weights
    from mien.models import load_card

    card = load_card(name)
    with progress_shown():
        paths = [fetch_weights(each) for each in [member for member, _ in card.members] or [card]]
    for path in paths:
        print_line(str(path))
    return ExitCode.DONE


def add(name: str, file: Path) -> int:
    """Take the weights of a network from a file of yours, if it is the right one."""
    from mien.errors import ConfigError
    from mien.models import add as add_weights
    from mien.models import load_card

    card = load_card(name)
    if card.members:
        names = " and ".join(member.name for member, _ in card.members)
        raise ConfigError(f"{name} has no weights of its own.", hint=f"Add those of {names}.")
    print_line(str(add_weights(card, file)))
    return ExitCode.DONE


def check(name: str) -> int:
    """Load a network; say what it is, that it runs, and that its graph is its weights'. For a card of your own too."""
    from mien.models import check_graph, load_card, open_model

    card = load_card(name)
    for each in [member for member, _ in card.members] or [card]:
        say(f"{each.name}: {check_graph(each)}")
        runner = open_model(each)
        print_line(f"{each.name}: {runner.runtime}, {runner.precision}, identity {each.identity()[:16]}")
    return ExitCode.DONE


MODELS = Group("models", "List, show, fetch, add and check the networks.", (list_, show, fetch, add, check))
