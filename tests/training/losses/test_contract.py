import inspect
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mien.training import losses
from mien.training.losses import LOSSES, ClassificationLoss, Loss
from mien.training.losses.contract import CHECKS, check_loss
from mien.training.losses.loss import Indices

# What a loss does otherwise on purpose; each one's own tests check the rest of it. What it holds constant has no
# gradient.
OTHERWISE = {
    ("adaface", "gradient"): "the quality of a face, which is read from its embedding's length, is constant",
    ("circle", "gradient"): "the weights of pairs, which say how far each is from where it should be, are constant",
    ("n_pair", "order"): "of more than two photos of a person, those that follow each other are a pair",
}


def maker(kind: type[Loss]) -> Callable[[int, int], Loss]:
    known = inspect.signature(kind).parameters

    def make(num_classes: int, embedding_size: int) -> Loss:
        torch.manual_seed(0)
        sizes = {"num_classes": num_classes, "embedding_size": embedding_size}
        return kind(**{name: size for name, size in sizes.items() if name in known})

    return make


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_keeps_the_contract(name: str, check: str) -> None:
    if (name, check) in OTHERWISE:
        with pytest.raises((RuntimeError, AssertionError), match=r"Jacobian mismatch|not close"):
            CHECKS[check](maker(LOSSES[name]))
    else:
        CHECKS[check](maker(LOSSES[name]))


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_says_what_it_takes(name: str) -> None:
    documentation = inspect.getdoc(LOSSES[name]) or ""
    for parameter in inspect.signature(LOSSES[name]).parameters:
        assert re.search(rf"^    {parameter}: .", documentation, re.MULTILINE), f"{parameter} is not documented"
    assert re.search(r"(19|20)\d\d", documentation) or name == "softmax", "which paper?"


@pytest.mark.parametrize("name", LOSSES)
def test_the_front_door_has_every_loss(name: str) -> None:
    assert LOSSES[name].__name__ in losses.__all__
    assert getattr(losses, LOSSES[name].__name__) is LOSSES[name]


def test_the_front_door_is_sorted_and_opens() -> None:
    assert len(set(losses.__all__)) == len(losses.__all__)
    assert all(hasattr(losses, name) for name in losses.__all__)


class Shortest(Loss):
    """A loss that keeps the contract: mean length, least where all embeddings are 0."""

    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        return embeddings.square().sum() / max(len(embeddings), 1)


class Infinite(Shortest):
    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        return super()._value(embeddings, labels, indices_tuple).log()


class Each(Shortest):
    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        return embeddings.square().sum(dim=1)


class Half(Shortest):
    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        return super()._value(embeddings.to(torch.bfloat16), labels, indices_tuple)


class WithoutGradient(Shortest):
    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        lengths = embeddings.square().sum(dim=1, keepdim=True)
        return (embeddings * lengths.detach()).sum() / max(len(embeddings), 1)


class FirstOfAll(Shortest):
    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        return embeddings[:1].square().sum()


class Growing(Shortest):
    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        self.calls = getattr(self, "calls", 0) + 1
        return self.calls * super()._value(embeddings, labels, indices_tuple)


class Careless(Shortest):
    def forward(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None = None) -> Tensor:
        values = embeddings.to(torch.promote_types(embeddings.dtype, torch.float32))
        return self._value(values, labels, indices_tuple)


class NotFromMiners(Shortest):
    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        assert indices_tuple is None
        return super()._value(embeddings, labels, indices_tuple)


class Flat(Shortest):
    def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
        return 0 * super()._value(embeddings, labels, indices_tuple)


class OddLabels(Shortest):
    def forward(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None = None) -> Tensor:
        return super().forward(embeddings, labels, indices_tuple) * labels.element_size()


class WrongWay(ClassificationLoss):
    def _logits(self, embeddings: Tensor) -> Tensor:
        return (embeddings @ self.weight.to(embeddings.dtype).T).T


def test_a_strangers_loss_can_be_checked() -> None:
    check_loss(lambda classes, size: Shortest())


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (Each, "one number"),
        (Half, "one number"),
        (WithoutGradient, "gradient"),
        (FirstOfAll, "order"),
        (OddLabels, "labels"),
        (Careless, "refusals"),
        (Infinite, "little"),
        (Infinite, "extremes"),
        (Growing, "memory"),
        (NotFromMiners, "miners"),
        (Flat, "descent"),
        (WrongWay, "classes"),
    ],
)
def test_a_loss_that_breaks_the_contract_is_told_which_part(kind: type[Loss], check: str) -> None:
    others = set(CHECKS) - {check}
    with pytest.raises(AssertionError, match=f"check '{check}'"):
        check_loss(maker(kind), leave_out=others)


def test_a_loss_in_half_precision_breaks_the_contract() -> None:
    class InHalf(Shortest):
        def _value(self, embeddings: Tensor, labels: Tensor, indices_tuple: Indices | None) -> Tensor:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return (embeddings @ embeddings.T).diagonal().sum().float() / max(len(embeddings), 1)

    with pytest.raises(AssertionError):
        check_loss(lambda classes, size: InHalf(), leave_out=set(CHECKS) - {"one number", "precision"})


def test_what_may_be_left_out_is_named() -> None:
    check_loss(lambda classes, size: Flat(), leave_out={"descent"})
