"""The studies, in the order in which people read of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.studies import (
    baselines,
    counterfactual,
    frozen_model,
    gates,
    horizon,
    maze_coverage,
    mixture,
    no_spontaneous,
    online,
    precision,
    quirks,
    rollout_length,
    sensitivity,
    smoothing,
    structure,
    unfactored,
    value_equivalence,
)
from experiments.studies.study import Study

STUDIES: Mapping[str, Study] = {
    study.name: study
    for study in (
        maze_coverage.STUDY,
        online.STUDY,
        smoothing.STUDY,
        frozen_model.STUDY,
        unfactored.STUDY,
        sensitivity.STUDY,
        rollout_length.STUDY,
        no_spontaneous.STUDY,
        quirks.STUDY,
        precision.STUDY,
        mixture.STUDY,
        counterfactual.STUDY,
        baselines.STUDY,
        structure.STUDY,
        gates.STUDY,
        value_equivalence.STUDY,
        horizon.STUDY,
    )
}


def chosen_studies(names: Sequence[str]) -> list[Study]:
    """The studies of these names; all if none are given.

    Raises:
        ValueError: There is no such study.
    """
    for name in names:
        if name not in STUDIES:
            raise ValueError(f"there is no study {name!r}; accepted: {', '.join(STUDIES)}")
    return [STUDIES[name] for name in names or STUDIES]
