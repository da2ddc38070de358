import pytest
import torch
from torch import nn

from mien.errors import ConfigError
from mien.training.comparing.entrants import choose_entrants, list_entrants
from mien.training.losses import LOSSES
from mien.training.recipe import check_recipe
from mien.training.trainer.stages import make_objective, resolve_stages


def test_every_loss_has_an_entrant() -> None:
    used = {loss["name"] for entrant in list_entrants().values() for loss in entrant.losses}
    assert set(LOSSES) <= used


@pytest.mark.parametrize("name", list_entrants())
def test_every_entrant_has_arguments_that_its_loss_takes_and_a_gradient(name: str) -> None:
    entrant = list_entrants()[name]
    recipe = check_recipe(
        {
            "data": {"sources": [{"synthetic": {"people": 6}}]},
            "losses": list(entrant.losses),
            "sampler": entrant.sampler,
        }
    )
    torch.manual_seed(0)
    (stage,) = resolve_stages(recipe, steps_per_epoch=4)
    objective = make_objective(stage, nn.Identity(), people=6, embedding_size=16, before=None)
    embeddings = torch.randn(24, 16, requires_grad=True)
    outcome = objective(embeddings, torch.arange(6).repeat(4), None, step=3)
    outcome.total.backward()
    assert torch.isfinite(outcome.total)
    assert embeddings.grad is not None
    assert torch.isfinite(embeddings.grad).all()
    assert embeddings.grad.abs().sum() > 0


def test_entrants_are_chosen_by_name_in_order_and_once() -> None:
    assert [one.name for one in choose_entrants(["cosface", "softmax", "cosface"])] == ["cosface", "softmax"]
    assert [one.name for one in choose_entrants(None)] == list(list_entrants())
    with pytest.raises(ConfigError, match=r"no loss 'cosine_face'.*Name some of softmax"):
        choose_entrants(["cosine_face"])


def test_another_library_may_enter_with_a_loss_of_its_own() -> None:
    (entrant,) = choose_entrants(["pml:CircleLoss"])
    assert entrant.losses == ({"name": "pml:CircleLoss"},)
    assert entrant.sampler["name"] == "pk"
    assert entrant.title == "CircleLoss"


def test_a_loss_that_is_not_listed_enters_with_its_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "mien.training.comparing.entrants.LOSSES", {**LOSSES, "new": LOSSES["cosface"], "newer": LOSSES["triplet"]}
    )
    new, newer = choose_entrants(["new", "newer"])
    assert (new.losses, new.sampler["name"]) == (({"name": "new"},), "shuffled")
    assert (newer.losses, newer.sampler["name"]) == (({"name": "newer"},), "pk")


def test_arguments_are_put_in_words() -> None:
    arcface, center, triplet = choose_entrants(["arcface", "center", "triplet"])
    assert arcface.described == "s 32.0, m 0.3"
    assert center.described == "softmax; center, share 0.01"
    assert triplet.described.endswith("4 photos a person")
