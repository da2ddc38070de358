import numpy as np
import pytest
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

from mien import blas_threads
from mien.blas_threads import one_thread_a_product


def test_products_have_one_thread_inside_and_what_they_had_after() -> None:
    np.ones((2, 2)) @ np.ones((2, 2))
    before = [pool["num_threads"] for pool in threadpool_info()]
    with one_thread_a_product:
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}
    assert [pool["num_threads"] for pool in threadpool_info()] == before


def test_whoever_leaves_last_restores_what_the_first_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not each what it found: the second to come finds the limit of the first."""
    events: list[str] = []

    class Limits:
        def __init__(self, limit: int) -> None:
            events.append(f"limit {limit}")

        def restore_original_limits(self) -> None:
            events.append("restore")

    monkeypatch.setattr(blas_threads, "threadpool_limits", Limits)
    one_thread_a_product.__enter__()
    one_thread_a_product.__enter__()
    one_thread_a_product.__exit__()
    assert events == ["limit 1"]
    one_thread_a_product.__exit__()
    assert events == ["limit 1", "restore"]
    with one_thread_a_product:
        assert events == ["limit 1", "restore", "limit 1"]
