"""Centre loss seen in two dimensions: handwritten digits, each drawn together the more, the more the loss weighs."""

import statistics
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor, nn

from benchmarks.results import PAGES, table
from mien.training.losses import CenterLoss, Softmax

SHARES = (0.0, 0.01, 0.1, 1.0)
SEEDS = range(5)
STEPS, BATCH = 600, 256


@dataclass(frozen=True)
class Outcome:
    """A network's embeddings of digits it never saw, and how far they spread."""

    embeddings: NDArray[np.float32]
    labels: NDArray[np.int64]
    within: float
    between: float
    accuracy: float


def measure() -> str:
    """Train with each weight of the centre loss and each seed; draw those of the first."""
    outcomes = {share: [_train(share, seed) for seed in SEEDS] for share in SHARES}
    _draw({share: of_seeds[0] for share, of_seeds in outcomes.items()})
    plain = [one.within / one.between for one in outcomes[0.0]]
    rows = []
    for share, of_seeds in outcomes.items():
        ratios = [one.within / one.between for one in of_seeds]
        times = [without / ratio for without, ratio in zip(plain, ratios, strict=True)]
        rows.append(
            (
                f"{share:g}",
                _spread([one.within for one in of_seeds]),
                _spread([one.between for one in of_seeds]),
                _spread(ratios, 4),
                f"{_spread(times)} ×",
                _spread([100 * one.accuracy for one in of_seeds]) + " %",
            )
        )
    return (
        "# Centre loss in two dimensions\n\n"
        "scikit-learn's handwritten digits (8 × 8), two thirds to learn from and one third to judge by; a network of "
        f"one hidden layer with embeddings of two values, {STEPS} steps of {BATCH}, softmax + λ·centre loss (Wen et "
        "al. 2016; α 0.5). Within: mean squared distance of a digit's embeddings from their mean. Between: mean "
        "squared distance of these means from their own. Accuracy: of the softmax. Medians and ranges of "
        f"{len(SEEDS)} seeds, all on digits that were not learnt from.\n\n"
        "![Embeddings of digits, by the weight of the centre loss](center-loss.svg)\n\n"
        + table(("λ", "within", "between", "within / between", "smaller than by softmax", "accuracy"), rows)
    )


def _train(share: float, seed: int) -> Outcome:
    torch.manual_seed(seed)
    pictures, labels = (torch.from_numpy(part) for part in load_digits(return_X_y=True))
    pictures = pictures.float() / 16
    order = torch.randperm(len(labels))
    unseen, seen = order[: len(order) // 3], order[len(order) // 3 :]
    network = nn.Sequential(nn.Linear(64, 128), nn.PReLU(), nn.Linear(128, 2))
    softmax, center = Softmax(10, 2), CenterLoss(10, 2)
    optimizer = torch.optim.Adam([*network.parameters(), *softmax.parameters()], lr=0.01)
    for _ in range(STEPS):
        chosen = seen[torch.randint(len(seen), (BATCH,))]
        embeddings = network(pictures[chosen])
        loss = softmax(embeddings, labels[chosen]) + share * center(embeddings, labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        embeddings = network(pictures[unseen])
        right = softmax.logits(embeddings).argmax(dim=1) == labels[unseen]
    return Outcome(
        embeddings.numpy(), labels[unseen].numpy(), *_scatter(embeddings, labels[unseen]), float(right.float().mean())
    )


def _scatter(embeddings: Tensor, labels: Tensor) -> tuple[float, float]:
    means = torch.stack([embeddings[labels == digit].mean(dim=0) for digit in range(10)])
    within = (embeddings - means[labels]).square().sum(dim=1).mean()
    return float(within), float((means - means.mean(dim=0)).square().sum(dim=1).mean())


def _spread(values: list[float], digits: int = 3) -> str:
    return f"{statistics.median(values):.{digits}g} ({min(values):.{digits}g}–{max(values):.{digits}g})"


def _draw(outcomes: dict[float, Outcome]) -> None:
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for axis, (share, outcome) in zip(figure.subplots(1, len(outcomes)), outcomes.items(), strict=True):
        for digit in range(10):
            of_digit = outcome.embeddings[outcome.labels == digit]
            axis.plot(*of_digit.T, ".", markersize=2.5, color=f"C{digit}", label=str(digit))
        axis.set(title=f"λ = {share:g}" if share else "softmax alone", xticks=[0], yticks=[0], aspect="equal")
        axis.set_adjustable("datalim")
        axis.grid(color="0.92")
        axis.spines[["top", "right"]].set_visible(False)
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=10, frameon=False, markerscale=4)
    figure.savefig(PAGES / "center-loss.svg", metadata={"Date": None})
