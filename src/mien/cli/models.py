"""`mien models`: which networks there are, and where their weights come from."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.cli.options import JsonOption
from mien.cli.output import ExitCode, Group, print_json, print_line, print_table, progress_shown, say

if TYPE_CHECKING:
    from mien.models import ModelCard


def list_(json: JsonOption = False) -> int:
    """List the networks that mien knows, and whether their weights are here."""
    from mien.errors import MienError
    from mien.models import find_weights, list_cards

    rows: list[dict[str, Any]] = []
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
        return ExitCode.DONE
    print_table([(row["name"], row["task"], "missing" if row["missing"] else "ready", row["title"]) for row in rows])
    for row in rows:
        if row["missing"]:
            say(row["missing"])
    return ExitCode.DONE


def show(name: str, json: JsonOption = False) -> int:
    """Show the card of a network: licence, contracts, training, figures, limits."""
    from mien.models import load_card

    about = _about(load_card(name))
    if json:
        print_json(about)
    else:
        print_table([(key, _in_words(value)) for key, value in about.items() if value not in ("", None, (), [], 0)])
    return ExitCode.DONE


def _about(card: "ModelCard") -> dict[str, Any]:
    from dataclasses import asdict

    return {
        **asdict(card),
        "members": [(_about(member), weight) for member, weight in card.members],
        "path": card.path and str(card.path),
        "folder": card.folder and str(card.folder),
        "identity": card.identity(),
    }


def _in_words(value: object) -> str:
    """What stands under a key of a card, for people; of a list of tables, a line each."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case dict():
            return ", ".join(f"{key} {_in_words(each)}" for key, each in value.items() if each not in ("", None))
        case [dict() as member, float() as weight]:
            return f"{weight:g} of {member['name']}: {member['title']}"
        case [dict() | [dict(), _], *_]:
            return "\n".join(map(_in_words, value))
        case [float(), _, _, _, *_]:
            return f"of {len(value)} numbers"
        case [*numbers]:
            return " ".join(map(_in_words, numbers))
    return str(value)


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
