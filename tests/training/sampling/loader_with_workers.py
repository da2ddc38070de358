"""A loader that reads ahead in another process; a program of its own, as pytest's workers don't bear being forked."""

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from mien.training.sampling import PeopleAndPhotos

LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 10))

if __name__ == "__main__":
    data = TensorDataset(torch.arange(len(LABELS)))
    sampler = PeopleAndPhotos(LABELS, 12, photos=3, seed=1)
    loader = DataLoader(data, 12, sampler=sampler, num_workers=1, prefetch_factor=4)
    whole = [batch[0].tolist() for _ in range(2) for batch in loader]
    assert whole == [row for epoch in (0, 1) for row in sampler.epoch_order(epoch).tolist()]
    for learnt in (0, 3, 8, 11):
        resumed = PeopleAndPhotos(LABELS, 12, photos=3, seed=1)
        resumed.load_state_dict(sampler.state_after(learnt))
        seen = [batch[0].tolist() for batch in DataLoader(data, 12, sampler=resumed)]
        assert seen == whole[learnt : learnt - learnt % 8 + 8]
