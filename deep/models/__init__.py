"""Sources of experience: replay, learned models, and the true environment."""

from deep.models.counterfactual import CounterfactualReplay
from deep.models.latent import CategoricalModel, DecodingModel, GaussianModel, LatentModel
from deep.models.learned_model import Forecast, LearnedModel
from deep.models.model import TRANSITIONS, Behaviour, Model, Parameters
from deep.models.perfect import PerfectModel
from deep.models.replay import Replay
from deep.models.rollout_model import RolloutModel
from deep.models.simple import SimpleModel
from deep.models.structured import StructuredModel
from deep.models.value_equivalent import (
    ValueEquivalentCategorical,
    ValueEquivalentGaussian,
    ValueEquivalentModel,
)

AGENTS: dict[str, type[Model]] = {
    "er": Replay,
    "simple": SimpleModel,
    "categorical": CategoricalModel,
    "gaussian": GaussianModel,
    "perfect": PerfectModel,
}

__all__ = [
    "AGENTS",
    "TRANSITIONS",
    "Behaviour",
    "CategoricalModel",
    "CounterfactualReplay",
    "DecodingModel",
    "Forecast",
    "GaussianModel",
    "LatentModel",
    "LearnedModel",
    "Model",
    "Parameters",
    "PerfectModel",
    "Replay",
    "RolloutModel",
    "SimpleModel",
    "StructuredModel",
    "ValueEquivalentCategorical",
    "ValueEquivalentGaussian",
    "ValueEquivalentModel",
]
