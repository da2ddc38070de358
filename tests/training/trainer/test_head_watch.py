import math

import numpy as np
import pytest
import torch

from mien.training.losses import ArcFace, CosFace, SubCenterArcFace
from mien.training.trainer.head_watch import OTHER, OWN, HeadWatch, class_cosines, target_logits


def head_along_axes(classes: int) -> CosFace:
    head = CosFace(classes, classes, s=8.0, m=0.3)
    with torch.no_grad():
        head.weight.copy_(3 * torch.eye(classes))
    return head


def test_angles_are_counted_to_the_own_class_and_to_the_nearest_other() -> None:
    watch, head = HeadWatch(), head_along_axes(3)
    at = math.radians(31)
    embeddings = torch.tensor([[math.cos(at), math.sin(at), 0.0], [0.0, 5.0, 0.0]])
    seen = watch.see(head, embeddings, torch.tensor([0, 2]))
    assert seen == {"accuracy": 0.5}
    own, other = watch.rows(7)
    assert (own["step"], own["kind"], other["kind"]) == (7, OWN, OTHER)
    assert [(key, own[key]) for key in ("30", "90")] == [("30", 1), ("90", 1)]
    assert [(key, other[key]) for key in ("58", "0")] == [("58", 1), ("0", 1)]
    watch.begin()
    assert watch.rows(8) == []


def test_without_a_head_there_is_nothing_to_see() -> None:
    watch = HeadWatch()
    assert watch.see(None, torch.ones(2, 3), torch.tensor([0, 1])) == {}
    assert watch.rows(1) == []


def test_of_several_centres_the_nearest_counts() -> None:
    head = SubCenterArcFace(2, 2, sub_centers=2)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[-1.0, 0.0], [0.0, -1.0]]]))
    cosine = class_cosines(head, torch.tensor([[0.0, 2.0], [-3.0, 0.0]]))
    torch.testing.assert_close(cosine, torch.tensor([[1.0, 0.0], [0.0, 1.0]]))


@pytest.mark.parametrize("length", [0.5, 20.0])
def test_a_loss_is_drawn_as_its_paper_draws_it(length: float) -> None:
    points = target_logits(ArcFace(5, 16, s=10.0, m=0.5), length)
    degrees = np.array([point["degrees"] for point in points])
    angle = np.deg2rad(degrees)
    assert (degrees == np.arange(0, 181, 2)).all()
    np.testing.assert_allclose([point["plain"] for point in points], 10 * np.cos(angle), atol=1e-4)
    inside = angle + 0.5 < np.pi
    asked = np.array([point["logit"] for point in points])
    # In float32 the angle of a cosine near 1 is right to 5e-4 at best.
    np.testing.assert_allclose(asked[inside], 10 * np.cos(angle[inside] + 0.5), atol=5e-3)
    assert (np.diff(asked) < 1e-4).all()
