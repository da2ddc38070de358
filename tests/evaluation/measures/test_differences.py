import numpy as np
import pytest

from mien.evaluation import (
    Comparisons,
    Difference,
    Estimate,
    Unsupported,
    compare_identification,
    compare_verification,
    identification_measures,
    search,
    verification_measures,
)


def two_encoders(better: float, seed: int = 0, count: int = 1500) -> tuple[Comparisons, Comparisons]:
    """The same comparisons by two encoders whose noise is mostly common; the first tells people apart the better."""
    rng = np.random.default_rng(seed)
    mated = np.arange(count) % 2 == 0
    one = rng.integers(0, 300, count)
    people = np.stack([one, np.where(mated, one, (one + rng.integers(1, 300, count)) % 300)], axis=1)
    common = rng.normal(0, 0.2, count)
    first, second = (
        np.where(mated, distance, 0.0) + common + rng.normal(0, 0.05, count) for distance in (0.5 + better, 0.5)
    )
    return Comparisons(first, mated, people), Comparisons(second, mated, people)


def difference(result: Difference | Unsupported) -> Difference:
    assert isinstance(result, Difference)
    return result


def test_a_difference_is_that_of_the_measures() -> None:
    first, second = two_encoders(0.1)
    one, other = (verification_measures(scores, resamples=300) for scores in (first, second))
    found = compare_verification(first, second, resamples=300)
    for name in ("auc", "eer", "accuracy", "average_precision", "d_prime", "min_cllr"):
        apart = difference(found[name])
        a, b = getattr(one, name), getattr(other, name)
        assert apart.value == pytest.approx(a.value - b.value, abs=1e-12)
        assert apart.low <= apart.value <= apart.high
        assert apart.high - apart.low < (a.high - a.low) + (b.high - b.low)  # the noise is mostly common
    assert isinstance(found["tar_at_far 1e-1"], Difference)
    assert isinstance(found["tar_at_far 1e-4"], Unsupported)


@pytest.mark.parametrize("people", [True, False])
def test_a_real_difference_is_significant_and_turning_it_changes_its_sign(people: bool) -> None:
    first, second = two_encoders(0.1)
    if not people:
        first, second = (Comparisons(scores.similarity, scores.mated) for scores in (first, second))
    there, back = (compare_verification(*pair, resamples=300)["auc"] for pair in ((first, second), (second, first)))
    one, other = difference(there), difference(back)
    assert one.low > 0
    assert one.p_value < 0.01
    assert (other.value, other.p_value) == (-one.value, one.p_value)


def test_no_difference_is_found_where_there_is_none() -> None:
    found = [
        difference(compare_verification(*two_encoders(0.0, seed, 500), resamples=100)["auc"]) for seed in range(30)
    ]
    assert sum(one.low <= 0 <= one.high for one in found) >= 25  # 95 % of 30, less what chance allows
    assert sum(one.p_value < 0.5 for one in found) in range(6, 25)


def of_few_people(seed: int) -> tuple[Comparisons, Comparisons]:
    """All pairs of 48 photos of 12 people by two encoders that are equally good."""
    rng = np.random.default_rng(seed)
    who = np.arange(48) // 4
    pairs = np.stack(np.triu_indices(48, 1), axis=1)
    common = rng.normal(size=(12, 24))[who] + 0.55 * rng.normal(size=(48, 24))
    people = who[pairs]
    scores = []
    for _ in range(2):
        vectors = common + 0.45 * rng.normal(size=(48, 24))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        similarity = (vectors[pairs[:, 0]] * vectors[pairs[:, 1]]).sum(axis=1)
        scores.append(Comparisons(similarity, people[:, 0] == people[:, 1], people))
    return scores[0], scores[1]


def test_few_people_seldom_tell_equal_encoders_apart() -> None:
    found = [compare_verification(*of_few_people(seed), resamples=60) for seed in range(30)]
    for name in ("auc", "eer", "average_precision"):
        apart = [difference(one[name]) for one in found]
        # At 17 to 25 in 100, as with percentiles, 6 or more of 30 would be expected.
        assert sum(not one.low <= 0 <= one.high for one in apart) <= 5
        assert all((one.p_value < 0.05) == (not one.low <= 0 <= one.high) for one in apart)


def test_an_encoder_does_not_differ_from_itself() -> None:
    first, _ = two_encoders(0.0)
    same = compare_verification(first, first, resamples=50)
    auc = difference(same["auc"])
    assert (auc.value, auc.p_value) == (0, 1)
    assert "the same in every draw" in auc.note
    assert isinstance(same["d_prime"], Unsupported)
    assert isinstance(same["min_cllr"], Unsupported)


def without_errors(comparisons: int, mated: int) -> tuple[Comparisons, Comparisons]:
    """Two encoders whose scores differ, and neither of which errs."""
    rng = np.random.default_rng(0)
    is_mated = np.arange(comparisons) < mated
    first, second = (is_mated + rng.uniform(0, 0.5, comparisons) for _ in range(2))
    return Comparisons(first, is_mated), Comparisons(second, is_mated)


def test_encoders_without_errors_may_differ_by_the_rule_of_three() -> None:
    found = compare_verification(*without_errors(900, 300), resamples=50)
    for name in ("tar_at_far 1e-1", "auc", "accuracy", "eer", "average_precision"):
        apart = difference(found[name])
        assert apart.value == 0
        assert apart.high == -apart.low == pytest.approx(3 / 300, rel=0.01)
        assert apart.p_value == 1
        assert "rule of three for 300 of them" in apart.note
        assert "draw of comparisons" in apart.note
        assert apart.to_dict()["note"] == apart.note


def test_the_bound_is_seldom_below_the_truth() -> None:
    """Of 60 people none is decided differently, though 1 in 21 would be: this happens in fewer than 1 of 20 cases."""
    rng = np.random.default_rng(1)
    bound = difference(compare_verification(*without_errors(120, 60), resamples=20)["accuracy"]).high
    assert (rng.random((20_000, 60)) >= bound).all(axis=1).mean() == pytest.approx(0.05, abs=0.005)


def test_a_comparison_that_either_failed_is_left_out_for_both() -> None:
    first, second = two_encoders(0.1, count=400)
    similarity = first.similarity.copy()
    similarity[:50] = np.nan
    assert first.people is not None
    failed = Comparisons(similarity, first.mated, first.people)
    rest = [Comparisons(s.similarity[50:], s.mated[50:], first.people[50:]) for s in (first, second)]
    one = difference(compare_verification(failed, second, resamples=50)["auc"])
    assert one.value == difference(compare_verification(*rest, resamples=50)["auc"]).value
    strict = compare_verification(failed, second, failures_are_errors=True, resamples=50)
    assert difference(strict["auc"]).value < one.value


def test_only_the_same_rows_can_be_compared() -> None:
    first, second = two_encoders(0.1, count=100)
    with pytest.raises(ValueError, match="same comparisons"):
        compare_verification(first, Comparisons(second.similarity, ~second.mated))
    with pytest.raises(ValueError, match="same comparisons"):
        compare_verification(first, Comparisons(second.similarity, second.mated))


def test_searches_are_compared_too() -> None:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((600, 6))
    person = np.repeat(np.arange(600), 2)
    names = np.array([f"{number:03d}" for number in person])
    enrolled = (np.arange(1200) % 2 == 0) & (person < 200)
    found = []
    for noise in (0.3, 0.6):
        vectors = (centres[person] + noise * rng.standard_normal((1200, 6))).astype(np.float32)
        found.append(search(vectors[~enrolled], names[~enrolled], vectors[enrolled], names[enrolled]))
    apart = compare_identification(found[0], found[1], resamples=200)
    one, other = (identification_measures(searches, resamples=20) for searches in found)
    for name, a, b in (
        ("rank_1", one.rank_1, other.rank_1),
        ("fnir_at_fpir 0.1", one.fnir_at_fpir["0.1"], other.fnir_at_fpir["0.1"]),
    ):
        assert isinstance(a, Estimate)
        assert isinstance(b, Estimate)
        assert difference(apart[name]).value == pytest.approx(a.value - b.value, abs=1e-12)
        assert difference(apart[name]).p_value < 0.05
    assert isinstance(apart["fnir_at_fpir 0.01"], Unsupported)
    with pytest.raises(ValueError, match="same searches"):
        compare_identification(found[0], search(np.ones((1, 6), np.float32), ["x"], np.ones((1, 6), np.float32), ["x"]))
