"""What docs/pytorch-metric-learning.md says of the other library, and isn't shown where the losses are tested."""

import numpy as np
import torch
from pytorch_metric_learning import losses as foreign
from pytorch_metric_learning import miners as foreign_miners
from pytorch_metric_learning import samplers as foreign_samplers

from mien.training.losses import Contrastive, CrossBatchMemory, NPair, Triplet
from mien.training.mining import DistanceWeighted
from mien.training.sampling import PeopleAndPhotos

PAIRS_OF_FOUR = torch.arange(4).repeat(2)


def test_its_n_pair_loss_has_embeddings_of_unit_length() -> None:
    embeddings = torch.randn(8, 5)
    assert torch.allclose(
        foreign.NPairsLoss()(embeddings, PAIRS_OF_FOUR), foreign.NPairsLoss()(3 * embeddings, PAIRS_OF_FOUR)
    )
    assert not torch.allclose(NPair()(embeddings, PAIRS_OF_FOUR), NPair()(3 * embeddings, PAIRS_OF_FOUR))


def test_its_n_pair_loss_uses_two_photos_of_a_person() -> None:
    embeddings, labels = torch.randn(16, 5), torch.arange(4).repeat(4)
    assert torch.equal(foreign.NPairsLoss()(embeddings, labels), foreign.NPairsLoss()(embeddings[:8], labels[:8]))
    assert NPair()(embeddings, labels) != NPair()(embeddings[:8], labels[:8])


def test_its_triplets_are_by_plain_distance() -> None:
    embeddings, labels = torch.randn(12, 5), torch.arange(4).repeat(3)
    theirs = foreign.TripletMarginLoss(0.2)(embeddings, labels)
    assert torch.allclose(theirs, Triplet(0.2, distance="euclidean")(embeddings, labels))
    assert not torch.allclose(theirs, Triplet(0.2)(embeddings, labels))


def test_its_contrastive_loss_is_not_squared_and_over_active_pairs() -> None:
    embeddings, labels = torch.randn(12, 5), torch.arange(4).repeat(3)
    theirs = foreign.ContrastiveLoss()(embeddings, labels)
    assert torch.allclose(theirs, Contrastive(squared=False, average="active")(embeddings, labels))
    assert not torch.allclose(theirs, Contrastive()(embeddings, labels))


def test_its_distance_weighted_miner_draws_positives_too() -> None:
    embeddings, labels = torch.randn(12, 8), torch.arange(12) // 4
    a, p, _ = foreign_miners.DistanceWeightedMiner(nonzero_loss_cutoff=2.0)(embeddings, labels)
    assert len(set(zip(a.tolist(), p.tolist(), strict=True))) < 36
    a, p, _ = DistanceWeighted(farthest=2.0)(embeddings, labels)
    assert len(set(zip(a.tolist(), p.tolist(), strict=True))) == len(a) == 36


def test_its_memory_keeps_no_place_in_its_state() -> None:
    assert set(foreign.CrossBatchMemory(foreign.ContrastiveLoss(), 5).state_dict()) == {
        "embedding_memory",
        "label_memory",
    }
    assert {"memory", "whose", "filled", "next"} <= set(CrossBatchMemory(5).state_dict())


def test_its_sampler_may_miss_people_and_draws_from_numpy_s_global_state() -> None:
    labels = np.repeat(np.arange(100), 4)
    theirs = foreign_samplers.MPerClassSampler(labels, 4, 40, length_before_new_iter=400)
    np.random.seed(0)
    first = list(theirs)
    assert len({labels[row] for row in first}) < 80
    assert {labels[row] for row in PeopleAndPhotos(labels, 40, photos=4)} == set(range(100))
    again = foreign_samplers.MPerClassSampler(labels, 4, 40, length_before_new_iter=400)
    np.random.seed(0)
    assert list(again) == first
