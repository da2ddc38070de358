"""Calibrations made by hand, for tests of what is decided with them."""

from dataclasses import replace

import numpy as np

from mien.decisions import Calibration, CalibrationData, EncoderIdentity, LikelihoodMap, RateCurve

GRID = np.linspace(-1, 1, 201)


def made_calibration(*, smallest_fmr: float | None = 1e-6, width: float = 1.2, mated: bool = True) -> Calibration:
    """FMR 10^(−10·s) for s ≥ 0, known to a factor of `width`; FNMR s² for s ≥ 0; ln LR = 20·s − 4 up to ±12."""
    fmr = np.minimum(1, 10.0 ** (-10 * GRID))
    fmr[GRID <= 0] = 1
    fmr[-1] = 0
    fnmr = np.where(GRID > 0, GRID**2, 0)
    return Calibration(
        name="made-up",
        encoder=EncoderIdentity("made-up", "e" * 64),
        data=CalibrationData("nobody", 1000, 3000, 2, 5000 if mated else 0, 4_490_000, 900, "a" * 64),
        score={"metric": "cosine", "flip": True},
        protocol="None: made for a test.",
        similarity=GRID,
        false_match=RateCurve(fmr, fmr / width, np.minimum(1, np.maximum(fmr, 1e-9) * width)),
        false_non_match=RateCurve(fnmr, fnmr / width, np.minimum(1, fnmr * width)) if mated else None,
        smallest_fmr=smallest_fmr,
        tail=None,
        likelihood=LikelihoodMap("logistic", np.array([-0.4, 0.8]), np.array([-12.0, 12.0]), {"logistic": 0.1})
        if mated
        else None,
        made={"date": "2025-01-01", "command": "", "version": "0"},
    )


def exactly_known(calibration: Calibration) -> Calibration:
    """The same with intervals of no width."""
    curve = calibration.false_match
    return replace(calibration, false_match=RateCurve(curve.value, curve.value, curve.value))
