import pytest
import torch
from torch import nn

from mien.training.large_heads import RowSGD


@pytest.mark.parametrize(("momentum", "weight_decay"), [(0.9, 0.01), (0.0, 0.1), (0.5, 0.0)])
def test_dense_gradients_move_as_with_pytorchs_sgd(momentum: float, weight_decay: float) -> None:
    torch.manual_seed(0)
    ours = nn.Parameter(torch.randn(7, 3, dtype=torch.float64))
    theirs = nn.Parameter(ours.detach().clone())
    optimisers = (
        RowSGD([ours], lr=0.1, momentum=momentum, weight_decay=weight_decay),
        torch.optim.SGD([theirs], lr=0.1, momentum=momentum, weight_decay=weight_decay),
    )
    for _ in range(4):
        ours.grad = torch.randn(7, 3, dtype=torch.float64)
        theirs.grad = ours.grad.clone()
        for optimiser in optimisers:
            optimiser.step()
    torch.testing.assert_close(ours, theirs)


def test_rows_that_take_no_part_rest_with_their_momentum() -> None:
    weight = nn.Parameter(torch.ones(4, 2, dtype=torch.float64))
    optimiser = RowSGD([weight], lr=0.1, momentum=0.5, weight_decay=0.0)
    for rows in ([0, 2], [2, 3]):
        values = torch.ones(2, 2, dtype=torch.float64)
        weight.grad = torch.sparse_coo_tensor(torch.tensor([rows]), values, (4, 2), check_invariants=True)
        optimiser.step()
    # Row 2 moved twice: by 0.1·1, then by 0.1·(0.5·1 + 1).
    assert weight[:, 0].tolist() == pytest.approx([0.9, 1.0, 0.75, 0.9])
    assert optimiser.state[weight]["velocity"][:, 0].tolist() == [1, 0, 1.5, 1]


def test_a_row_named_twice_gets_both_gradients() -> None:
    weight, rows = nn.Parameter(torch.zeros(3, 1)), torch.tensor([[1, 0, 1]])
    weight.grad = torch.sparse_coo_tensor(rows, torch.tensor([[1.0], [2.0], [4.0]]), (3, 1), check_invariants=True)
    RowSGD([weight], lr=1, momentum=0).step()
    assert weight[:, 0].tolist() == [-2, -5, 0]


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    gradient = torch.randn(50, 3)
    moved = []
    for block in (2**20, 12):
        monkeypatch.setattr("mien.training.large_heads.row_sgd.BLOCK", block)
        weight = nn.Parameter(torch.zeros(50, 3))
        optimiser = RowSGD([weight], lr=0.1)
        for _ in range(2):
            weight.grad = gradient
            optimiser.step()
        moved.append(weight.detach())
    torch.testing.assert_close(*moved, rtol=0, atol=0)


def test_its_state_is_kept_in_checkpoints() -> None:
    weight = nn.Parameter(torch.ones(3, 2))
    optimiser = RowSGD([weight], lr=0.1)
    weight.grad = torch.ones(3, 2)
    optimiser.step()
    again = RowSGD([weight], lr=0.5)
    again.load_state_dict(optimiser.state_dict())
    assert again.param_groups[0]["lr"] == 0.1
    torch.testing.assert_close(again.state[weight]["velocity"], torch.ones(3, 2))


def test_a_parameter_without_gradient_rests() -> None:
    weight = nn.Parameter(torch.ones(3, 2))
    assert RowSGD([weight], lr=0.1).step(lambda: 3.5) == 3.5
    assert (weight == 1).all()


@pytest.mark.parametrize("wrong", [{"lr": -1}, {"momentum": 1}, {"momentum": -0.1}, {"weight_decay": -1}])
def test_arguments_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="outside its range"):
        RowSGD([nn.Parameter(torch.ones(2, 2))], **{"lr": 0.1, **wrong})
