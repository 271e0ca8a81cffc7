"""A random cohort for any study file."""

import numpy as np
import pandas as pd

from helpers.cohort import cohort_from_frame


def random_frame(study, n=88, seed=1, missing=0.0) -> pd.DataFrame:
    """Random patients in the columns of a study; `missing` is the share of empty cells."""
    rng = np.random.default_rng(seed)

    def draw(leveled):
        return rng.choice(list(leveled.codes()), n)

    def amounts():
        return rng.lognormal(4, 1, n).round(1)

    optional = {}
    for key, covariate in study.covariates.items():
        measured = covariate.kind == "continuous" or covariate.cutoff is not None
        optional[study.covariate_column(key)] = amounts() if measured else draw(covariate)
    for exposure in study.exposures.values():
        optional[exposure.column] = draw(exposure)
        if exposure.duration:
            optional[exposure.duration] = amounts()
    if study.response:
        optional[study.response.column] = draw(study.response)
    for measurement in study.measurements.values():
        optional[measurement.baseline] = amounts()
        optional[measurement.followup] = amounts()
    if study.adverse_events:
        for event in study.adverse_events.events:
            optional[study.adverse_events.column(event)] = rng.choice(4, n, p=[0.7, 0.1, 0.1, 0.1])
        if study.adverse_events.interruption:
            optional[study.adverse_events.interruption] = rng.choice(2, n)
    frame = pd.DataFrame(optional).astype(object)
    frame = frame.mask(rng.random(frame.shape) < missing)
    arms = list(study.arm.codes())
    frame[study.arm.column] = [arms[i % len(arms)] for i in range(n)]
    for endpoint in study.endpoints.values():
        frame[endpoint.time] = rng.exponential(500, n).round()
        frame[endpoint.event] = rng.choice(2, n)
    if study.identifier:
        frame[study.identifier] = [f"p{i}" for i in range(n)]
    return frame


def random_cohort(study, **options):
    """A checked cohort of `random_frame`."""
    return cohort_from_frame(random_frame(study, **options), study)
