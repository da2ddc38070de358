import pytest
import torch

from mien.training.large_heads import PartialFC, RowSGD, margin_cross_entropy
from mien.training.large_heads.sampled_classes import sampled_classes


def cosface(cosine: torch.Tensor) -> torch.Tensor:
    return cosine - 0.3


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(6, 8, requires_grad=True), torch.tensor([0, 3, 3, 99, 57, 0])


def test_classes_of_the_batch_always_take_part_and_others_evenly() -> None:
    generator = torch.Generator().manual_seed(0)
    counts = torch.zeros(50)
    for _ in range(2000):
        classes = sampled_classes(torch.tensor([7, 7, 30]), 50, 0.2, generator)
        assert len(classes) == 10
        assert (classes.diff() > 0).all()
        counts[classes] += 1
    assert counts[7] == counts[30] == 2000
    others = counts[torch.tensor([c for c in range(50) if c not in {7, 30}])]
    # 8 of 48 each time: 333 ± 17; five standard deviations.
    assert others.min() > 333 - 83
    assert others.max() < 333 + 83


@pytest.mark.parametrize(("share", "expected"), [(0.01, 4), (0.045, 5), (1.0, 100)])
def test_the_share_is_rounded_up_and_never_leaves_out_the_batch(share: float, expected: int) -> None:
    classes = sampled_classes(torch.tensor([1, 2, 3, 99]), 100, share, torch.Generator())
    assert len(classes) == expected
    assert {1, 2, 3, 99} <= set(classes.tolist())


def test_it_is_the_margin_softmax_over_the_classes_that_take_part() -> None:
    head = PartialFC(100, 8, margin=cosface, s=16, share=0.1)
    embeddings, labels = batch()
    loss = head(embeddings, labels)
    loss.backward()
    gradient = head.weight.grad
    assert gradient is not None
    rows = gradient.coalesce().indices()[0]
    assert len(rows) == 10
    positions = torch.searchsorted(rows, labels)
    expected = margin_cross_entropy(embeddings, head.weight[rows], positions, scale=16, margin=cosface).mean()
    torch.testing.assert_close(loss, expected)
    wanted = torch.autograd.grad(expected, (embeddings, head.weight))
    torch.testing.assert_close((embeddings.grad, gradient.to_dense()), wanted)


def test_all_classes_take_part_at_share_one_and_in_evaluation() -> None:
    embeddings, labels = batch()
    head = PartialFC(100, 8, margin=cosface, share=0.1).eval()
    expected = margin_cross_entropy(embeddings, head.weight, labels, scale=64, margin=cosface).mean()
    torch.testing.assert_close(head(embeddings, labels), expected)
    whole = PartialFC(100, 8, margin=cosface, share=1)
    whole(embeddings, labels).backward()
    assert whole.weight.grad is not None
    assert not whole.weight.grad.is_sparse


def test_draws_differ_from_step_to_step_and_go_on_from_a_checkpoint() -> None:
    embeddings, labels = batch()
    head = PartialFC(100, 8, margin=cosface, share=0.1)
    first = head(embeddings, labels).item()
    state = {key: value.clone() for key, value in head.state_dict().items()}
    second, third = head(embeddings, labels).item(), head(embeddings, labels).item()
    assert len({first, second, third}) == 3
    resumed = PartialFC(100, 8, margin=cosface, share=0.1, seed=5)
    resumed.load_state_dict(state)
    assert [resumed(embeddings, labels).item() for _ in range(2)] == [second, third]


def test_it_learns() -> None:
    """Directions of 40 people come apart, though each step sees a quarter of the classes."""
    torch.manual_seed(1)  # another seed than the head's
    people = torch.nn.functional.normalize(torch.randn(40, 16))
    head = PartialFC(40, 16, margin=cosface, s=16, share=0.25)
    optimiser = RowSGD(head.parameters(), lr=1.0)
    labels = torch.arange(40)

    def right() -> int:
        return int((people @ head.weight.T).argmax(1).eq(labels).sum())

    before = right()
    for _ in range(150):
        some = torch.randperm(40)[:8]
        optimiser.zero_grad()
        head(people[some] + 0.05 * torch.randn(8, 16), some).backward()
        optimiser.step()
    assert before < 10
    assert right() >= 32


@pytest.mark.parametrize(
    "wrong", [{"num_classes": 1}, {"embedding_size": 0}, {"share": 0}, {"share": 1.1}, {"s": 0}, {"s": float("nan")}]
)
def test_arguments_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    arguments = {"num_classes": 10, "embedding_size": 4, "share": 0.5, "s": 64.0} | wrong
    with pytest.raises(ValueError, match=r"must be|too few"):
        PartialFC(**arguments, margin=cosface)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("embeddings", "labels"),
    [
        (torch.ones(2, 7), torch.zeros(2, dtype=torch.int64)),
        (torch.ones(2, 8), torch.zeros(3, dtype=torch.int64)),
        (torch.ones(2, 8), torch.tensor([0, 100])),
        (torch.ones(2, 8), torch.tensor([-1, 1])),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(embeddings: torch.Tensor, labels: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"must|for 2 embeddings"):
        PartialFC(100, 8, margin=cosface)(embeddings, labels)
