"""Links in the docs lead somewhere, commands and Python can be run, and the page of losses says what the code has."""

import inspect
import re
import shlex
import shutil
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from typer.main import get_command

from mien.cli.app import make_app
from mien.faces import FaceTable
from mien.training.backbones import BACKBONES
from mien.training.data.augmentation import CHANGES
from mien.training.losses import LOSSES
from mien.training.losses.imitation import Imitation
from mien.training.mining import MINERS
from mien.training.recipe import check_recipe
from mien.training.sampling import SAMPLERS
from mien.training.trainer.stages import make_objective, resolve_stages

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LOSSES_PAGE = ROOT / "docs" / "losses.md"
TRAINING_PAGE = ROOT / "docs" / "training.md"
DESCRIBED: dict[str, Callable[..., object]] = {**LOSSES, "imitation": Imitation}

FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
TOML = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(
    r"""\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)|\b(?:src|href|srcset)=["']([^"']+)""", re.MULTILINE
)
HEADING = re.compile(r"^(#{1,6}) +(.+?)(?: +#+)?$", re.MULTILINE)

PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (mien .*?)(?: {2,}#.*)?$|`(mien [^`\n]+)`", re.MULTILINE)

OF_THE_DATA = {"num_classes", "embedding_size", "labels", "names", "batch_size", "seed"}
"""Arguments that recipes fill in."""


def links(text: str) -> list[str]:
    """Where the links of a page lead, but for other sites."""
    text = INLINE_CODE.sub("", FENCED.sub("", text))
    found = ["".join(groups) for groups in LINK.findall(text)]
    return [link for link in found if not re.match(r"[a-z][a-z+.-]*:", link)]


def anchors(text: str) -> set[str]:
    """What GitHub calls the headings of a page."""
    seen: Counter[str] = Counter()
    names = set()
    for _, heading in HEADING.findall(FENCED.sub("", text)):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        names.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return names


def broken(link: str, page: Path) -> str:
    """What is wrong with a relative link; nothing if it leads somewhere."""
    path, _, anchor = unquote(link).partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(ROOT):
        return f"{link} leads out of the repository"
    if not target.exists():
        return f"{link} leads nowhere"
    if anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
        return f"{link}: {target.name} has no such heading"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    found = [broken(link, page) for link in links(page.read_text(encoding="utf-8"))]
    assert not list(filter(None, found))


def test_links_and_headings_are_found() -> None:
    page = "# A `code` & [more](x.md)\n## Twice\n## Twice\n```\n# no\n[no](no.md)\n```\n"
    page += "![a](b.png \"t\") <img src='c.svg'>"
    assert anchors(page) == {"a-code--more", "twice", "twice-1"}
    assert links(page + "\n[d]: e.md#f\n`[g](h)` [i](https://j)") == ["x.md", "b.png", "c.svg", "e.md#f"]


def test_broken_links_are_seen() -> None:
    page = ROOT / "docs" / "training.md"
    assert not broken("losses.md#which-one", page)
    assert not broken("../recipes/quick.toml", page)
    assert "nowhere" in broken("no-such-page.md", page)
    assert "heading" in broken("losses.md#no-such-heading", page)
    assert "out of" in broken("../../elsewhere.md", page)


def unknown(command: str) -> str:
    """What of a command line mien doesn't have: nothing if there are such a command and such options."""
    here: Any = get_command(make_app())
    words = [word for word in shlex.split(command)[1:] if word != "…"]
    while hasattr(here, "commands") and words and not words[0].isupper():  # capitals stand for any of them
        if words[0] not in here.commands:
            return words[0]
        here = here.commands[words.pop(0)]
    options = {"--help"}.union(*((*each.opts, *each.secondary_opts) for each in here.params))
    return " ".join(word for word in words if word.startswith("-") and word not in options)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_are_there(page: Path) -> None:
    commands = ["".join(groups) for groups in COMMAND.findall(page.read_text(encoding="utf-8"))]
    assert {command: unknown(command) for command in commands if unknown(command)} == {}


def test_unknown_commands_and_options_are_seen() -> None:
    page = "`mien identfy a.jpg`\n$ mien verify a b --far 1e-4  # --no\n$ mien people list | show"
    commands = ["".join(groups) for groups in COMMAND.findall(page)]
    assert commands == ["mien identfy a.jpg", "mien verify a b --far 1e-4", "mien people list | show"]
    assert list(map(unknown, commands)) == ["identfy", "--far", ""]
    assert unknown("mien evaluate PROTOCOL …") == ""


def embedded_faces() -> FaceTable:
    """Two photos each of four people, as `mien embed` would keep them."""
    return FaceTable(
        "none",
        "0" * 64,
        sources=[f"people/person-{row // 2}/{row}.jpg" for row in range(8)],
        boxes=np.zeros((8, 4), np.float32),
        landmarks=np.zeros((8, 5, 2), np.float32),
        scores=np.ones(8, np.float32),
        embeddings=np.eye(8, dtype=np.float32),
    )


SNIPPETS = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in PAGES
    for number, code in enumerate(PYTHON.findall(page.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("code", SNIPPETS)
def test_python_can_be_run(
    code: str, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, photo in (("a", 1), ("b", 2), ("ada", 1), ("party", 3)):
        shutil.copy(people / f"person-0001/000{photo}.jpg", f"{name}.jpg")
    embedded_faces().save("faces.npz")
    exec(code, {"embeddings": torch.randn(4, 128, requires_grad=True), "labels": torch.arange(4)})
    if "print" in code:
        verified, identified = capsys.readouterr().out.splitlines()
        assert verified.startswith("match: similarity")
        assert identified.endswith("match Ada")


def sections(text: str) -> dict[str, str]:
    """The text below each heading of a loss, which ends in the loss's name as code."""
    parts = re.split(r"^#{2,3} +(.+)$", text, flags=re.MULTILINE)
    titles = [
        (title.rsplit("`", 2)[-2], body) for title, body in zip(parts[1::2], parts[2::2], strict=True) if "`" in title
    ]
    assert len(dict(titles)) == len(titles), "a loss is described twice"
    return dict(titles)


def rows(text: str, heading: str) -> dict[str, str]:
    """The rows of the table below a heading, by the name as code that each begins with."""
    (body,) = re.findall(rf"^###? {heading}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    return dict(re.findall(r"^\| `(\w+)` \|(.*)$", body, re.MULTILINE))


def wrong_arguments(made: Callable[..., object], text: str) -> Iterator[str]:
    """What a text gets wrong of the arguments of what is made: each should stand there as code, `name = default`.

    Where None is the default, which TOML can't say, `name` is enough. A name is one of the arguments.
    """
    said = [re.fullmatch(r"(\w+)(?: = (.+))?", code) for code in INLINE_CODE.findall(FENCED.sub("", text))]
    values = [(match[1], match[2]) for match in said if match]
    arguments = inspect.signature(made).parameters.values()
    defaults = {
        argument.name: argument.default for argument in arguments if argument.kind is argument.POSITIONAL_OR_KEYWORD
    }
    for name in defaults.keys() - OF_THE_DATA:
        needs_no_value = defaults[name] is None or defaults[name] is inspect.Parameter.empty
        if not any(said == name and (value or needs_no_value) for said, value in values):
            yield f"{name} is missing"
    for name, value in values:
        if value is None:
            continue
        if name not in defaults:
            yield f"there is no {name}"
            continue
        parsed = tomllib.loads(f"value = {value}")["value"]
        if parsed != defaults[name] or isinstance(parsed, bool) != isinstance(defaults[name], bool):
            yield f"{name} is {defaults[name]!r}, not {value}"


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_loss_is_described_with_its_arguments(name: str) -> None:
    described = sections(LOSSES_PAGE.read_text(encoding="utf-8"))
    assert name in described
    assert not list(wrong_arguments(DESCRIBED[name], described[name]))


def test_nothing_is_described_that_is_no_loss() -> None:
    assert sections(LOSSES_PAGE.read_text(encoding="utf-8")).keys() == DESCRIBED.keys()


@pytest.mark.parametrize(("heading", "registry"), [("Miners", MINERS), ("Samplers", SAMPLERS)])
def test_miners_and_samplers_are_described_with_their_arguments(
    heading: str, registry: dict[str, Callable[..., object]]
) -> None:
    described = rows(LOSSES_PAGE.read_text(encoding="utf-8"), heading)
    assert described.keys() == registry.keys()
    for name, row in described.items():
        assert not list(wrong_arguments(registry[name], row)), name


def settings(row: str) -> dict[str, object]:
    """What stands in a row as code, `name = value`."""
    return tomllib.loads("\n".join(INLINE_CODE.findall(row)))


def test_changes_of_crops_are_described_with_their_settings() -> None:
    described = rows(TRAINING_PAGE.read_text(encoding="utf-8"), "Augmentation")
    assert list(described) == list(CHANGES), "in the order in which they happen"
    for name, row in described.items():
        assert settings(row) == CHANGES[name].model_validate({}).model_dump(mode="json"), name


def test_backbones_are_described_with_their_arguments() -> None:
    described = rows(TRAINING_PAGE.read_text(encoding="utf-8"), "Backbones")
    assert described.keys() == BACKBONES.keys()
    for name, row in described.items():
        arguments = inspect.signature(BACKBONES[name]).parameters
        own = {
            key: one.default for key, one in arguments.items() if key not in {"embedding_size", "input_size", "depth"}
        }
        assert settings(row) == {key: list(one) if isinstance(one, tuple) else one for key, one in own.items()}, name


def test_wrong_arguments_are_seen() -> None:
    def made(num_classes: int, s: float = 64.0, soft: bool = True, miner: str | None = None) -> None: ...

    assert not list(wrong_arguments(made, "`s = 64`, `soft = true`, `miner`"))
    assert set(wrong_arguments(made, "`s = 32.0`, `soft = 1`")) == {
        "miner is missing",
        "s is 64.0, not 32.0",
        "soft is True, not 1",
    }
    assert set(wrong_arguments(made, "`s`, `soft = true`, `miner`, `m = 1`\n```\n`s = 64`\n```")) == {
        "s is missing",
        "there is no m",
    }


RECIPES = TOML.findall(LOSSES_PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", RECIPES, ids=lambda text: re.findall(r'name = "(\w+)"', text)[0])
def test_recipes_of_losses_can_be_followed(text: str) -> None:
    recipe = check_recipe({"data": {"sources": [{"folder": "people"}]}, **tomllib.loads(text)})
    (stage,) = resolve_stages(recipe, steps_per_epoch=10)
    made = make_objective(stage, torch.nn.Identity(), people=4, embedding_size=8, before=None)
    labels = torch.arange(4).repeat(4)
    outcome = made(torch.randn(16, 8, requires_grad=True), labels, torch.randn(16, 8), 0)
    assert torch.isfinite(outcome.total)


def test_every_loss_has_a_recipe() -> None:
    used = {loss["name"] for text in RECIPES for loss in tomllib.loads(text)["losses"]}
    assert used == DESCRIBED.keys()
