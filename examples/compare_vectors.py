"""Compare embeddings, or any vectors, with every metric; find the nearest of many."""

import numpy as np

from mien.similarity import METRICS, all_pairs, top_k

rng = np.random.default_rng(0)
probes, references = rng.random((3, 128), np.float32), rng.random((1000, 128), np.float32)
for name in METRICS:
    vectors = (probes > 0.8, references > 0.8) if name == "jaccard" else (probes, references)  # Jaccard compares sets
    distances = all_pairs(*vectors, name, kind="distance")
    print(f"{name}: nearest {distances.argmin(axis=1)}, at {distances.min(axis=1)}")

similarities, places = top_k(probes, references, 5)
for probe in range(len(probes)):
    print(f"probe {probe}, five nearest by cosine: {places[probe]}, at {similarities[probe].round(3)}")
