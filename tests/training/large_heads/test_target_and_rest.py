import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mien.training.large_heads.products import product
from mien.training.large_heads.target_and_rest import target_and_rest

ONEDNN = getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def drawn(samples: int, classes: int, size: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return tuple(torch.randn(count, size, dtype=dtype, requires_grad=True) for count in (samples, classes))  # type: ignore[return-value]


def test_a_sample_of_no_class_here_has_target_zero_and_all_others_for_rest() -> None:
    queries, weight = drawn(3, 8, 5)
    target, rest = target_and_rest(queries, weight, torch.tensor([2, -1, 7]), chunk=3)
    logits = queries @ functional.normalize(weight).T
    torch.testing.assert_close(target, torch.stack((logits[0, 2], logits.new_zeros(()), logits[2, 7])))
    torch.testing.assert_close(rest[1], logits[1].logsumexp(0))
    torch.testing.assert_close(rest[2], logits[2, :7].logsumexp(0))


def test_rows_alone_are_the_classes_and_get_a_sparse_gradient() -> None:
    queries, weight = drawn(4, 20, 6)
    rows, labels = torch.tensor([1, 4, 5, 9, 13, 19]), torch.tensor([0, 5, 5, 2])
    target, rest = target_and_rest(queries, weight, labels, rows=rows, chunk=4)
    few = target_and_rest(queries, weight[rows], labels, chunk=4)
    torch.testing.assert_close((target, rest), tuple(few))
    torch.autograd.backward((rest - target).sum())
    gradient = weight.grad
    assert gradient is not None
    assert gradient.is_sparse
    wanted = torch.autograd.grad((few.rest - few.target).sum(), (queries, weight))
    torch.testing.assert_close((queries.grad, gradient.to_dense()), wanted)
    assert gradient.coalesce().indices()[0].tolist() == rows.tolist()


def test_the_gradient_takes_the_memory_that_held_the_exponentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second C × D array for the gradient is what the design avoids."""
    queries, weight = drawn(16, 300, 16, torch.float32)
    made: list[int] = []
    empty = Tensor.new_empty

    def noted(self: Tensor, *size: int) -> Tensor:
        result = empty(self, *size)
        made.append(result.data_ptr() if result.shape == weight.shape else 0)
        return result

    monkeypatch.setattr(Tensor, "new_empty", noted)
    target, rest = target_and_rest(queries, weight, torch.arange(16), chunk=64)
    torch.autograd.backward((rest - target).sum())
    assert weight.grad is not None
    assert [each for each in made if each] == [weight.grad.data_ptr()]


@pytest.mark.parametrize("onednn", [None, ONEDNN], ids=["MKL", "oneDNN"])
@pytest.mark.parametrize(("left", "right"), [((5, 7), (9, 7)), ((300, 64), (1000, 64))])
def test_products_are_those_of_float64_to_rounding(
    left: tuple[int, int], right: tuple[int, int], onednn: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.training.large_heads.products._ONEDNN", onednn)
    torch.manual_seed(0)
    a, b = torch.randn(left), torch.randn(right)
    for first, second in ((a, b), (a.T.contiguous().T, b), (a, b.T.contiguous().T)):
        expected = first.double() @ second.double().T
        torch.testing.assert_close(product(first, second, torch.float32).double(), expected, rtol=0, atol=1e-4)
    torch.testing.assert_close(product(a, b, torch.bfloat16), a @ b.T, rtol=0.01, atol=0.3)


@pytest.mark.parametrize("onednn", [None, ONEDNN], ids=["MKL", "oneDNN"])
@pytest.mark.parametrize("samples", [6, 16, 40])
def test_gradients_in_float32_are_the_formulas(samples: int, onednn: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer samples than values, as many, and more than the room for exponentials holds; one has no class here."""
    monkeypatch.setattr("mien.training.large_heads.products._ONEDNN", onednn)
    queries, weight = drawn(samples, 50, 16, torch.float32)
    labels = (torch.arange(samples) * 7 % 50).index_fill(0, torch.tensor([2]), -1)
    target, rest = target_and_rest(queries, weight, labels, chunk=8)
    logits = queries.double() @ functional.normalize(weight.double()).T
    own = functional.one_hot(labels.clamp_min(0), 50).bool() & (labels >= 0)[:, None]
    wanted = torch.where(own, logits, 0).sum(1), logits.masked_fill(own, -torch.inf).logsumexp(1)
    torch.testing.assert_close((target.double(), rest.double()), wanted, rtol=1e-5, atol=1e-5)
    weights = torch.linspace(-1, 2, samples)
    found = torch.autograd.grad((weights * (rest - target)).sum(), (queries, weight))
    expected = torch.autograd.grad((weights * (wanted[1] - wanted[0])).sum(), (queries, weight))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
