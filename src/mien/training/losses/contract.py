"""What every loss must do, as checks that any loss, also a stranger's, can be run through."""

import copy
import io
from collections.abc import Callable, Collection

import torch
from torch import Tensor

from mien.training.losses.loss import ClassificationLoss, Indices, Loss

MakeLoss = Callable[[int, int], Loss]
"""Makes a loss for a number of classes and a length of embeddings; losses that need neither ignore them."""

CLASSES, SIZE = 4, 8


def check_loss(make: MakeLoss, *, leave_out: Collection[str] = ()) -> None:
    """Run a loss through all of `CHECKS`.

    Args:
        make: Makes the loss.
        leave_out: Names of checks that it needn't pass, such as ``"gradient"`` where a part has none on purpose.

    Raises:
        AssertionError: It fails one, which the message names.
    """
    for name, check in CHECKS.items():
        if name not in leave_out:
            try:
                check(make)
            except Exception as problem:
                raise AssertionError(f"check {name!r}: {type(problem).__name__}: {problem}") from problem


def is_one_number(make: MakeLoss) -> None:
    """A scalar in float32 for float32, in float64 for float64, finite, with a gradient of the embeddings' dtype."""
    for dtype in (torch.float32, torch.float64):
        embeddings, labels = batch(dtype)
        value = make(CLASSES, SIZE)(embeddings, labels)
        assert value.shape == (), f"shape {tuple(value.shape)}"
        assert value.dtype == dtype, f"{value.dtype} for {dtype}"
        assert_finite(value, embeddings)


def computes_in_float32_at_least(make: MakeLoss) -> None:
    """Half precisions, and autocast, give what float32 gives for the same numbers."""
    loss = make(CLASSES, SIZE).eval()
    for dtype in (torch.bfloat16, torch.float16):
        embeddings, labels = batch(dtype)
        expected = loss(embeddings.detach().float(), labels)
        value = loss(embeddings, labels)
        assert value.dtype == torch.float32, f"{value.dtype} for {dtype}"
        torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-6)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            torch.testing.assert_close(loss(embeddings, labels), expected, rtol=1e-6, atol=1e-6)
        (gradient,) = torch.autograd.grad(value, embeddings)
        assert gradient.dtype == dtype, f"a gradient of {gradient.dtype} for {dtype}"


def has_the_right_gradient(make: MakeLoss) -> None:
    """Finite differences in float64 agree, for the embeddings and for what the loss learns."""
    embeddings, labels = batch(torch.float64)
    loss = make(CLASSES, SIZE).double().eval()
    assert torch.autograd.gradcheck(lambda *inputs: loss(inputs[0], labels), (embeddings, *loss.parameters()))


def ignores_order(make: MakeLoss) -> None:
    """The order of the batch changes neither the loss nor whose gradient is whose."""
    loss = make(CLASSES, SIZE).eval()
    embeddings, labels = batch(torch.float64)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(3))
    shuffled = embeddings.detach()[order].requires_grad_()
    value, other = loss(embeddings, labels), loss(shuffled, labels[order])
    torch.testing.assert_close(value, other)
    torch.testing.assert_close(
        torch.autograd.grad(value, embeddings)[0][order], torch.autograd.grad(other, shuffled)[0]
    )


def takes_integers_of_any_kind(make: MakeLoss) -> None:
    """Labels of any integer dtype mean the same."""
    loss = make(CLASSES, SIZE).eval()
    embeddings, labels = batch(torch.float32)
    for dtype in (torch.int32, torch.int16, torch.int8, torch.uint8):
        torch.testing.assert_close(loss(embeddings, labels.to(dtype)), loss(embeddings, labels))


def refuses_what_makes_no_sense(make: MakeLoss) -> None:
    """Wrong shapes and unknown classes are a ValueError, wrong dtypes a TypeError."""
    loss = make(CLASSES, SIZE)
    embeddings, labels = batch(torch.float32)
    wrong: list[tuple[Tensor, Tensor, type[Exception]]] = [
        (embeddings[0], labels, ValueError),
        (embeddings, labels[1:], ValueError),
        (embeddings, labels[:, None], ValueError),
        (embeddings, labels.float(), TypeError),
        (embeddings, labels > 0, TypeError),
        (embeddings.detach().int(), labels, TypeError),
    ]
    if loss.embedding_size is not None:
        wrong.append((embeddings[:, 1:], labels, ValueError))
    if loss.num_classes is not None:
        wrong += [(embeddings, labels - 1, ValueError), (embeddings, labels + 1, ValueError)]
    for bad_embeddings, bad_labels, error in wrong:
        try:
            loss(bad_embeddings, bad_labels)
        except error:
            continue
        raise AssertionError(
            f"no {error.__name__} for embeddings {tuple(bad_embeddings.shape)} {bad_embeddings.dtype} and "
            f"labels {tuple(bad_labels.shape)} {bad_labels.dtype}"
        )


def survives_little(make: MakeLoss) -> None:
    """Nothing costs nothing; one sample, one person, and people who are all different give a finite loss."""
    embeddings, labels = batch(torch.float32)
    nothing = embeddings[:0]
    value = make(CLASSES, SIZE)(nothing, labels[:0])
    assert value.item() == 0, f"{value.item()} for an empty batch"
    for chosen in (slice(0, 0), slice(0, 1), labels == 0, slice(0, CLASSES)):
        assert_finite(make(CLASSES, SIZE)(embeddings[chosen], labels[chosen]), embeddings)


def survives_extremes(make: MakeLoss) -> None:
    """Zero, equal, opposite, tiny and huge embeddings give a finite loss and gradient in float32 and bfloat16."""
    plain, labels = batch(torch.float32)
    first = plain.detach()[:1].expand_as(plain)
    signs = torch.tensor([1.0, -1.0]).repeat(len(plain) // 2)[:, None]
    for dtype in (torch.float32, torch.bfloat16):
        for values in (plain * 0, first, first * signs, plain * 1e-6, plain * 1e4):
            loss, embeddings = make(CLASSES, SIZE), values.detach().to(dtype).requires_grad_()
            assert_finite(loss(embeddings, labels), embeddings, *loss.parameters())
            assert_finite(loss(embeddings, labels), embeddings, *loss.parameters())


def remembers_only_in_training(make: MakeLoss) -> None:
    """In evaluation mode a call changes nothing, and a state that is saved and loaded gives the same loss."""
    embeddings, labels = batch(torch.float32)
    loss = make(CLASSES, SIZE)
    for _ in range(3):
        loss(embeddings * 2, labels)
    loss.eval()
    before, untouched = copy.deepcopy(loss.state_dict()), embeddings.detach().clone()
    value = loss(embeddings, labels)
    torch.testing.assert_close(loss(embeddings, labels), value, rtol=0, atol=0)
    torch.testing.assert_close(loss.state_dict(), before, rtol=0, atol=0)
    torch.testing.assert_close(embeddings.detach(), untouched, rtol=0, atol=0)
    file = io.BytesIO()
    torch.save(loss.state_dict(), file)
    file.seek(0)
    other = make(CLASSES, SIZE).eval()
    other.load_state_dict(torch.load(file, weights_only=True))
    torch.testing.assert_close(other(embeddings, labels), value, rtol=0, atol=0)
    torch.testing.assert_close(copy.deepcopy(loss)(embeddings, labels), value, rtol=0, atol=0)


def takes_what_miners_choose(make: MakeLoss) -> None:
    """Triplets, pairs, and a choice of nothing give a finite loss."""
    embeddings, labels = batch(torch.float32)
    nothing = torch.zeros(0, dtype=torch.int64)
    triplets = (torch.tensor([0, 1]), torch.tensor([4, 5]), torch.tensor([1, 2]))
    chosen: list[Indices] = [triplets, (triplets[0], triplets[1], triplets[0], triplets[2])]
    for indices in (*chosen, (nothing,) * 3, (nothing,) * 4):
        assert_finite(make(CLASSES, SIZE)(embeddings, labels, indices), embeddings)


def can_be_made_small(make: MakeLoss) -> None:
    """Following the gradient lowers the loss."""
    embeddings, labels = batch(torch.float32)
    loss = make(CLASSES, SIZE).eval()
    optimizer = torch.optim.Adam([embeddings, *loss.parameters()], lr=0.02)
    value = first = loss(embeddings, labels)
    for _ in range(40):
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        value = loss(embeddings, labels)
    assert value < first, f"from {first.item()} to {value.item()}"


def classifies(make: MakeLoss) -> None:
    """A head has class vectors and logits, and bears embeddings that lie on a class vector or opposite to it."""
    head = make(CLASSES, SIZE)
    if not isinstance(head, ClassificationLoss):
        return
    embeddings, labels = batch(torch.float32)
    assert (head.num_classes, head.embedding_size) == (CLASSES, SIZE)
    assert (head.weight.shape[0], head.weight.shape[-1]) == (CLASSES, SIZE), f"weight {tuple(head.weight.shape)}"
    for logits in (head.logits(embeddings), head.margin_logits(embeddings, labels)):
        assert logits.shape == (len(labels), CLASSES), f"logits {tuple(logits.shape)}"
    vectors = head.weight.detach().reshape(CLASSES, -1, SIZE)[labels, 0]
    for dtype in (torch.float32, torch.bfloat16):
        for factor in (1.0, -1.0, 25.0, -25.0):
            at_the_end = (vectors * factor).to(dtype).requires_grad_()
            assert_finite(head(at_the_end, labels), at_the_end, *head.parameters())


CHECKS: dict[str, Callable[[MakeLoss], None]] = {
    "one number": is_one_number,
    "precision": computes_in_float32_at_least,
    "gradient": has_the_right_gradient,
    "order": ignores_order,
    "labels": takes_integers_of_any_kind,
    "refusals": refuses_what_makes_no_sense,
    "little": survives_little,
    "extremes": survives_extremes,
    "memory": remembers_only_in_training,
    "miners": takes_what_miners_choose,
    "descent": can_be_made_small,
    "classes": classifies,
}


def batch(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Three embeddings of each of four people, (12, 8), and their labels."""
    embeddings = torch.randn(3 * CLASSES, SIZE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return embeddings.to(dtype).requires_grad_(), torch.arange(CLASSES).repeat(3)


def assert_finite(value: Tensor, *leaves: Tensor) -> None:
    """The value is finite, and so is its gradient where it reaches a leaf."""
    assert value.isfinite(), f"loss {value.item()}"
    learnt = [leaf for leaf in leaves if leaf.requires_grad]
    gradients = torch.autograd.grad(value, learnt, allow_unused=True, retain_graph=True)
    for gradient in gradients:
        assert gradient is None or bool(gradient.isfinite().all()), "a gradient is not finite"
