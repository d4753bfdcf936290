"""Sources of experience: replay, learned models, and the true environment."""

from deep.models.latent import CategoricalModel, GaussianModel, LatentModel
from deep.models.model import MODEL_BATCH, TRANSITIONS, Behaviour, Model, Parameters
from deep.models.perfect import PerfectModel
from deep.models.replay import Replay
from deep.models.rollout_model import RolloutModel
from deep.models.simple import SimpleModel

AGENTS: dict[str, type[Model]] = {
    "er": Replay,
    "simple": SimpleModel,
    "categorical": CategoricalModel,
    "gaussian": GaussianModel,
    "perfect": PerfectModel,
}

__all__ = [
    "AGENTS",
    "MODEL_BATCH",
    "TRANSITIONS",
    "Behaviour",
    "CategoricalModel",
    "GaussianModel",
    "LatentModel",
    "Model",
    "Parameters",
    "PerfectModel",
    "Replay",
    "RolloutModel",
    "SimpleModel",
]
