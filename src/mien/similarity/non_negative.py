"""The domain of metrics that compare amounts."""

from mien.similarity.metric import Floats


def negative_amounts(vectors: Floats) -> str:
    """What is wrong with `vectors` as amounts, as a sentence; "" if nothing is."""
    if vectors.size and vectors.min() < 0:
        return f"the vectors are amounts and can't be negative; the least value is {vectors.min():g}."
    return ""
