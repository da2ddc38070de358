import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from pytorch_metric_learning import losses as peers
from torch import Tensor
from torch.nn import functional

from mien.training.large_heads import margin_cross_entropy
from mien.training.losses import arc_margin, combined_margin

MARGINS: dict[str, Callable[[Tensor], Tensor]] = {
    "NormFace": lambda cosine: cosine,
    "CosFace": lambda cosine: cosine - 0.35,
    "ArcFace": partial(arc_margin, m=0.5),
    "combined": partial(combined_margin, m1=1.1, m2=0.3, m3=0.2),
}
# Samples, classes, values, classes at a time: even and uneven chunks, one chunk, one class at a time, more samples than
# values (whose logits are computed again in the backward), and what is too small for chunks.
SHAPES = [(5, 24, 7, 4), (5, 23, 7, 5), (3, 23, 5, 50), (4, 6, 5, 1), (9, 14, 4, 3), (5, 24, 7, None)]


def formula(
    embeddings: Tensor, weight: Tensor, labels: Tensor, scale: float | Tensor, margin: Callable[[Tensor], Tensor]
) -> Tensor:
    """The definition, with all N × C logits."""
    cosine = functional.normalize(embeddings) @ functional.normalize(weight).T
    own = functional.one_hot(labels, len(weight)).bool()
    return functional.cross_entropy(scale * torch.where(own, margin(cosine), cosine), labels, reduction="none")


def drawn(samples: int, classes: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(samples + classes + size)
    embeddings, weight = (
        torch.randn(count, size, generator=generator, dtype=torch.float64, requires_grad=True)
        for count in (samples, classes)
    )
    return embeddings, weight, torch.randint(classes, (samples,), generator=generator)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("margin", MARGINS.values(), ids=MARGINS)
def test_values_and_gradients_are_the_formulas(
    margin: Callable[[Tensor], Tensor], shape: tuple[int, int, int, int | None]
) -> None:
    embeddings, weight, labels = drawn(*shape[:3])
    ours = margin_cross_entropy(embeddings, weight, labels, scale=16, margin=margin, chunk=shape[3])
    expected = formula(embeddings, weight, labels, 16, margin)
    torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-13)
    weights = torch.arange(1.0, len(labels) + 1, dtype=torch.float64)
    for _ in range(2):  # a retained graph can be gone through again
        gradients = torch.autograd.grad((ours * weights).sum(), (embeddings, weight), retain_graph=True)
        wanted = torch.autograd.grad((expected * weights).sum(), (embeddings, weight), retain_graph=True)
        torch.testing.assert_close(gradients, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_those_of_finite_differences(shape: tuple[int, int, int, int | None]) -> None:
    embeddings, weight, labels = drawn(*shape[:3])
    scale = torch.tensor(5.0, dtype=torch.float64, requires_grad=True)

    def loss(embeddings: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
        margin = MARGINS["combined"]
        return margin_cross_entropy(embeddings, weight, labels, scale=scale, margin=margin, chunk=shape[3])

    assert torch.autograd.gradcheck(loss, (embeddings, weight, scale))


@pytest.mark.parametrize(
    ("peer", "margin"),
    [
        (partial(peers.ArcFaceLoss, margin=math.degrees(0.5), scale=32), MARGINS["ArcFace"]),
        (partial(peers.CosFaceLoss, margin=0.35, scale=32), MARGINS["CosFace"]),
        (partial(peers.NormalizedSoftmaxLoss, temperature=1 / 32), MARGINS["NormFace"]),
    ],
    ids=["ArcFace", "CosFace", "NormFace"],
)
def test_it_agrees_with_pytorch_metric_learning(peer: Callable[..., Any], margin: Callable[[Tensor], Tensor]) -> None:
    torch.manual_seed(0)
    theirs = peer(num_classes=600, embedding_size=16)
    embeddings, labels = torch.randn(32, 16, requires_grad=True), torch.randint(600, (32,))
    weight = theirs.W.detach().T.clone().requires_grad_()
    expected = theirs(embeddings, labels)
    ours = margin_cross_entropy(embeddings, weight, labels, scale=32, margin=margin, chunk=100).mean()
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=0)
    wanted = torch.autograd.grad(expected, (embeddings, theirs.W))
    gradients = torch.autograd.grad(ours, (embeddings, weight))
    torch.testing.assert_close(gradients[0], wanted[0], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(gradients[1].T, wanted[1], rtol=1e-4, atol=1e-6)


def test_float32_is_right_to_rounding() -> None:
    embeddings, weight, labels = drawn(64, 3000, 32)
    exact = formula(embeddings, weight, labels, 64, MARGINS["ArcFace"])
    wanted = torch.autograd.grad(exact.sum(), (embeddings, weight))
    single = embeddings.detach().float().requires_grad_(), weight.detach().float().requires_grad_()
    ours = margin_cross_entropy(*single, labels, scale=64, margin=MARGINS["ArcFace"], chunk=500)
    plain = formula(*single, labels, 64, MARGINS["ArcFace"])
    assert ours.dtype == torch.float32
    results = [(value, *torch.autograd.grad(value.sum(), single)) for value in (ours, plain)]
    for got, usual, expected in zip(*results, (exact, *wanted), strict=True):
        assert (got - expected).abs().max() < 2 * (usual - expected).abs().max()


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precisions_are_computed_in_float32(kind: torch.dtype) -> None:
    embeddings, weight, labels = drawn(8, 40, 16)
    half = embeddings.detach().to(kind).requires_grad_(), weight.detach().to(kind).requires_grad_()
    ours = margin_cross_entropy(*half, labels, scale=64, margin=MARGINS["ArcFace"], chunk=16)
    same = half[0].detach().float().requires_grad_(), half[1].detach().float().requires_grad_()
    expected = margin_cross_entropy(*same, labels, scale=64, margin=MARGINS["ArcFace"], chunk=16)
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, expected)
    for got, wanted in zip(
        torch.autograd.grad(ours.sum(), half), torch.autograd.grad(expected.sum(), same), strict=True
    ):
        assert got.dtype == kind
        torch.testing.assert_close(got, wanted.to(kind))


def test_products_in_bfloat16_stay_near() -> None:
    embeddings, weight, labels = drawn(64, 3000, 32)
    single = embeddings.detach().float().requires_grad_(), weight.detach().float().requires_grad_()
    exact, ours = (
        margin_cross_entropy(*single, labels, scale=16, margin=MARGINS["ArcFace"], dtype=dtype, chunk=500)
        for dtype in (None, torch.bfloat16)
    )
    assert not torch.equal(ours, exact)
    torch.testing.assert_close(ours, exact, rtol=0, atol=16 * 2**-8)
    wanted, gradients = (torch.autograd.grad(value.sum(), single) for value in (exact, ours))
    for got, expected in zip(gradients, wanted, strict=True):
        assert functional.cosine_similarity(got.flatten(), expected.flatten(), dim=0) > 0.9999


@pytest.mark.parametrize("chunk", [500, None])
def test_autocast_does_not_reach_in(chunk: int | None) -> None:
    embeddings, weight, labels = drawn(8, 4000, 16)
    single = embeddings.detach().float(), weight.detach().float().requires_grad_()
    expected = margin_cross_entropy(*single, labels, scale=64, margin=MARGINS["CosFace"], chunk=chunk)
    with torch.autocast("cpu", torch.bfloat16):
        ours = margin_cross_entropy(*single, labels, scale=64, margin=MARGINS["CosFace"], chunk=chunk)
    results = [(value, *torch.autograd.grad(value.sum(), single[1])) for value in (ours, expected)]
    torch.testing.assert_close(*results, rtol=0, atol=0)


def test_only_what_wants_a_gradient_gets_one() -> None:
    embeddings, weight, labels = drawn(6, 30, 5)
    loss = partial(margin_cross_entropy, scale=8, margin=MARGINS["ArcFace"], chunk=7)
    both = torch.autograd.grad(loss(embeddings, weight, labels).sum(), (embeddings, weight))
    frozen = torch.autograd.grad(loss(embeddings, weight.detach(), labels).sum(), embeddings)
    head_only = torch.autograd.grad(loss(embeddings.detach(), weight, labels).sum(), weight)
    torch.testing.assert_close((*frozen, *head_only), both)
    assert not loss(embeddings.detach(), weight.detach(), labels).requires_grad
    with torch.no_grad():
        assert not loss(embeddings, weight, labels).requires_grad


def test_the_order_of_batch_and_classes_does_not_matter() -> None:
    embeddings, weight, labels = drawn(6, 30, 5)
    loss = partial(margin_cross_entropy, scale=8, margin=MARGINS["ArcFace"], chunk=7)
    samples, classes = torch.randperm(6), torch.randperm(30)
    expected = loss(embeddings, weight, labels)
    torch.testing.assert_close(loss(embeddings[samples], weight, labels[samples]), expected[samples])
    torch.testing.assert_close(loss(3 * embeddings, weight[classes] / 7, classes.argsort()[labels]), expected)


@pytest.mark.parametrize("scale", [64.0, 1000.0])
def test_extreme_angles_are_finite(scale: float) -> None:
    """On its class, opposite to it, everything on one side; at 1000, e^z leaves float32."""
    axis = torch.eye(8)[0]
    embeddings = torch.stack((axis, -axis)).requires_grad_()
    weight = torch.cat((axis[None], -axis[None].repeat(40, 1))).requires_grad_()
    for label in (0, 1):
        labels = torch.tensor([label, label])
        ours = margin_cross_entropy(embeddings, weight, labels, scale=scale, margin=MARGINS["CosFace"], chunk=4)
        exact = formula(embeddings.double(), weight.double(), labels, scale, MARGINS["CosFace"])
        torch.testing.assert_close(ours.double(), exact, rtol=1e-6, atol=1e-6)
        for gradient in torch.autograd.grad(ours.sum(), (embeddings, weight)):
            assert gradient.isfinite().all()


def test_a_cosine_beyond_one_by_rounding_is_one() -> None:
    embeddings = torch.randn(500, 24, generator=torch.Generator().manual_seed(0)).requires_grad_()
    weight = (embeddings.detach() * 3).requires_grad_()
    seen: list[Tensor] = []

    def angle(cosine: Tensor) -> Tensor:
        seen.append(cosine.detach())
        return cosine - 0.2

    loss = margin_cross_entropy(embeddings, weight, torch.arange(500), scale=64, margin=angle, chunk=64)
    assert seen[0].max() == 1
    assert loss.isfinite().all()


def test_zero_vectors_have_cosine_zero() -> None:
    embeddings, weight = torch.zeros(1, 4, requires_grad=True), torch.zeros(5, 4, requires_grad=True)
    for chunk in (2, None):
        loss = margin_cross_entropy(embeddings, weight, torch.tensor([3]), scale=8, margin=lambda c: c, chunk=chunk)
        assert loss.item() == pytest.approx(math.log(5))
        for gradient in torch.autograd.grad(loss.sum(), (embeddings, weight)):
            assert gradient.isfinite().all()


def test_one_class_has_nothing_to_tell_apart() -> None:
    embeddings, weight, _ = drawn(3, 1, 4)
    labels = torch.zeros(3, dtype=torch.int64)
    for chunk in (1, None):
        loss = margin_cross_entropy(embeddings, weight, labels, scale=8, margin=MARGINS["ArcFace"], chunk=chunk)
        assert loss.tolist() == [0, 0, 0]
        for gradient in torch.autograd.grad(loss.sum(), (embeddings, weight)):
            assert not gradient.any()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_no_samples_no_losses(dtype: torch.dtype) -> None:
    weight = torch.ones(9, 4, dtype=dtype, requires_grad=True)
    for chunk in (2, None):
        empty = torch.empty(0, 4, dtype=dtype, requires_grad=True)
        labels = torch.empty(0, dtype=torch.int64)
        loss = margin_cross_entropy(empty, weight, labels, scale=8, margin=MARGINS["ArcFace"], chunk=chunk)
        assert loss.shape == (0,)
        assert not torch.autograd.grad(loss.sum(), weight)[0].any()


def test_nan_is_not_hidden() -> None:
    embeddings, weight, labels = drawn(3, 9, 4)
    spoilt = torch.where(torch.arange(3)[:, None] == 1, torch.nan, embeddings)
    loss = margin_cross_entropy(spoilt, weight, labels, scale=8, margin=MARGINS["ArcFace"], chunk=4)
    assert loss.isnan().tolist() == [False, True, False]


def test_a_margin_may_have_gradients_of_its_own() -> None:
    embeddings, weight, labels = drawn(5, 24, 7)
    margins = torch.rand(5, dtype=torch.float64, requires_grad=True)
    loss = margin_cross_entropy(
        embeddings, weight, labels, scale=8, margin=lambda cosine: arc_margin(cosine, margins), chunk=4
    )
    (gradient,) = torch.autograd.grad(loss.sum(), margins)
    cosine = functional.cosine_similarity(embeddings, weight[labels]).detach()
    # d loss / d m = s·sin(θ + m)·(1 − p), where p = e^(−loss) is the own class's probability.
    expected = 8 * (cosine.acos() + margins).sin() * (1 - (-loss).exp())
    torch.testing.assert_close(gradient, expected.detach())


@pytest.mark.parametrize(
    ("embeddings", "weight", "labels", "chunk", "says"),
    [
        (torch.ones(4), torch.ones(3, 4), torch.zeros(4, dtype=torch.int64), None, "class vectors"),
        (torch.ones(2, 4), torch.ones(3, 5), torch.zeros(2, dtype=torch.int64), None, "class vectors"),
        (torch.ones(2, 4), torch.ones(3, 4), torch.zeros(3, dtype=torch.int64), None, "labels of shape"),
        (torch.ones(2, 4), torch.ones(3, 4), torch.tensor([0, 3]), None, "0 … 2, not 0 … 3"),
        (torch.ones(2, 4), torch.ones(3, 4), torch.tensor([-1, 0]), None, "0 … 2, not -1 … 0"),
        (torch.ones(2, 4), torch.ones(3, 4), torch.tensor([0, 1]), 0, "chunk"),
    ],
)
def test_what_does_not_fit_is_refused(
    embeddings: Tensor, weight: Tensor, labels: Tensor, chunk: int | None, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        margin_cross_entropy(embeddings, weight, labels, scale=8, margin=lambda cosine: cosine, chunk=chunk)
