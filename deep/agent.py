"""The agent: Q-learning on the experience that a model gives (paper, section 4).

Every agent of the paper is this one with another model; see `deep.models`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeVar

import torch
from jaxtyping import Bool, Float, Float32, Int64, UInt8
from torch import Tensor

from deep import kernels
from deep.adam import Moments, adam_step, no_moments
from deep.argument_checks import require_integer
from deep.kernels import learning
from deep.models import LearnedModel, Model, Parameters, Replay
from deep.networks import Network, Packs, Perceptron, Perceptrons
from deep.priorities import Priorities
from deep.q_learning import Transitions, softmax_action, td_error, td_loss, td_target
from deep.random_streams import Purpose, Stream, lane_words
from deep.replay_buffer import MAX_ACTIONS, ReplayBuffer, Replayed

MODEL_STEP_SIZE = 2e-4

Learns = Literal["both", "model", "q"]
"""What an update changes: the model and the Q-network, or one of them."""

Tree = TypeVar("Tree", Tensor, Parameters)


class Lanes(NamedTuple):
    """What sets independent runs apart that are made side by side.

    Attributes:
        seed: Of everything that chance decides in the lane.
        step_size: Of the Q-network.
        temperature: Of the softmax behaviour.
    """

    seed: Int64[Tensor, "lane"]
    step_size: Float32[Tensor, "lane"]
    temperature: Float32[Tensor, "lane"]


class Packed(NamedTuple):
    """Weights as the kernels read them: rounded once an update, and kept.

    They follow from the parameters, and are no part of a run's state.
    """

    q: Packs
    target: Packs
    model: tuple[Packs, ...]

    @property
    def derived(self) -> bool:
        """For `deep.tensor_tree`."""
        return True


class Learner(NamedTuple):
    """What an agent has learned; updates change it in place."""

    q: Float32[Tensor, "lane q_parameter"]
    q_moments: Moments
    target: Float32[Tensor, "lane q_parameter"]
    model: Parameters
    model_moments: tuple[Moments, ...]
    updates: Int64[Tensor, ""]
    packed: Packed | None = None

    def copy_target(self) -> None:
        """Let the target network be what the Q-network is, in place."""
        self.target.copy_(self.q)
        if self.packed is not None:
            for place, words in zip(self.packed.target, self.packed.q, strict=True):
                place.copy_(words)

    def finite(self) -> Bool[Tensor, "lane"]:
        """Lanes whose parameters are all numbers; the others have diverged."""
        finite = [part.isfinite().all(1) for part in (self.q, *self.model)]
        return torch.stack(finite).all(0)


class Losses(NamedTuple):
    """Sums of the losses over each lane's updates."""

    q: Float32[Tensor, "lane"]
    model: Float32[Tensor, "lane"]


@dataclass(frozen=True)
class Agent:
    """Q-learning from a model's experience.

    Attributes:
        model: Where experience comes from.
        prioritized: Whether what is replayed is drawn by priority, see `deep.priorities`; of replay alone.
    """

    model: Model
    prioritized: bool = False

    def __post_init__(self) -> None:
        actions = self.model.environment.num_actions
        require_integer("the number of an environment's actions", actions, 1, MAX_ACTIONS)
        if self.prioritized and type(self.model) is not Replay:
            raise ValueError(f"prioritized goes with Replay alone, got {type(self.model).__name__}")

    @property
    def q_network(self) -> Network:
        """From features to a value for each action."""
        actions = self.model.environment.num_actions
        model = self.model
        return Network(
            model.num_features, (actions,), precision=model.precision, kernels=model.kernels
        )

    def with_kernels(self) -> "Agent":
        """The same agent, computed by the kernels of `deep.kernels` if they have what its model needs.

        Raises:
            ValueError: This machine has none.
        """
        kernels.require()
        return replace(self, model=replace(self.model, kernels=self.model.has_kernels))

    def _q(self, learner: Learner) -> Perceptron:
        packed = learner.packed
        return self.q_network.perceptrons(learner.q, packed and packed.q)[0]

    def _target(self, learner: Learner) -> Perceptron:
        packed = learner.packed
        return self.q_network.perceptrons(learner.target, packed and packed.target)[0]

    def initial(self, seed: Int64[Tensor, "lane"]) -> Learner:
        """Before the first update."""
        numbers = torch.arange(len(self.model.networks), device=seed.device)
        updates = torch.zeros((), dtype=torch.int64, device=seed.device)
        q = self.q_network.initial(Stream(seed, updates, Purpose.INITIAL_Q))
        model = tuple(
            network.initial(Stream(seed, number, Purpose.INITIAL_MODEL))
            for network, number in zip(self.model.networks, numbers, strict=True)
        )
        moments = tuple(map(no_moments, model))
        return Learner(
            q, no_moments(q), q.clone(), model, moments, updates, self._packed(q, q, model)
        )

    def _packed(self, q: Tensor, target: Tensor, model: Parameters) -> Packed | None:
        network = self.q_network
        if not network.packs:
            return None
        learned = zip(self.model.networks, model, strict=True)
        packed = tuple(each.pack(own) for each, own in learned if isinstance(each, Network))
        return Packed(network.pack(q), network.pack(target), packed)

    def repack(self, learner: Learner) -> None:
        """Bring what is kept for the kernels up to date with parameters that something else changed."""
        fresh, kept = self._packed(learner.q, learner.target, learner.model), learner.packed
        if fresh is None or kept is None:
            return
        for places, packs in zip(
            (kept.q, kept.target, *kept.model), (fresh.q, fresh.target, *fresh.model), strict=True
        ):
            for place, words in zip(places, packs, strict=True):
                place.copy_(words)

    def values(
        self,
        learner: Learner,
        observation: UInt8[Tensor, "lane batch feature"],
        stream: Stream,
    ) -> Float32[Tensor, "lane batch action"]:
        """Q-values of what is seen; the stream decides the draw of a latent."""
        model = self.model
        drawn = lane_words(stream, model.represent_words, observation.shape[1])
        features = model.represent(learner.model, observation, drawn)
        return self._q(learner)(features)

    def act(
        self,
        learner: Learner,
        lanes: Lanes,
        observation: UInt8[Tensor, "lane feature"],
        step: Int64[Tensor, ""],
    ) -> Int64[Tensor, "lane"]:
        """Draw the action of each lane, by the softmax of its Q-values."""
        seen = observation.unsqueeze(1)
        q = self.values(learner, seen, Stream(lanes.seed, step, Purpose.REPRESENTATION))
        drawn = lane_words(Stream(lanes.seed, step, Purpose.ACTION), 1)[0]
        return softmax_action(q.squeeze(1), lanes.temperature, drawn)

    @property
    def model_batch_size(self) -> int:
        """Replayed transitions that train the model in an update; 0 if it learns nothing."""
        return self.model.model_batch_size if isinstance(self.model, LearnedModel) else 0

    @property
    def replayed(self) -> int:
        """Transitions drawn from the buffer for an update."""
        return max(self.model.batch_size, self.model_batch_size)

    def replay(
        self, buffer: ReplayBuffer, lanes: Lanes, step: Int64[Tensor, ""]
    ) -> tuple[Replayed, Replayed]:
        """Draw what an update learns from; another `step` draws other transitions.

        Returns:
            `model_batch_size` transitions for `update_model`, or trajectories that begin with these, and
            `model.batch_size` transitions for `update_q`. The smaller batch is the beginning of the larger one.
        """
        stream = Stream(lanes.seed, step, Purpose.REPLAY)
        place = buffer.places(lane_words(stream, 1, self.replayed)[0])
        batch = buffer.at(place)
        lesson, starts = batch.first(self.model_batch_size), batch.first(self.model.batch_size)
        if isinstance(self.model, LearnedModel) and self.model.lesson_steps > 1:
            first = place[:, : self.model_batch_size]
            lesson = buffer.trajectories(first, self.model.lesson_steps)
        return lesson, starts

    def learn(
        self,
        learner: Learner,
        buffer: ReplayBuffer,
        lanes: Lanes,
        losses: Losses,
        learns: Learns = "both",
    ) -> None:
        """One update from what is stored: of the model, then by its experience of the Q-network.

        Args:
            learner: What learns, in place.
            buffer: What is stored.
            lanes: Seeds, step sizes and temperatures.
            losses: The losses before the update are added to these, in place.
            learns: Whether both change, or one of them and the other is frozen.
        """
        step = learner.updates
        if buffer.priorities is not None:
            losses.q.add_(self._learn_by_priority(learner, buffer, buffer.priorities, lanes))
            step.add_(1)
            return
        lesson, starts = self.replay(buffer, lanes, step)
        if learns != "q":
            losses.model.add_(self.update_model(learner, lesson, lanes, step))
        if learns != "model":
            losses.q.add_(self.update_q(learner, starts, lanes, step))
        step.add_(1)

    def _learn_by_priority(
        self, learner: Learner, buffer: ReplayBuffer, priorities: Priorities, lanes: Lanes
    ) -> Float32[Tensor, "lane"]:
        """Update the Q-network by what is drawn by priority, and what was drawn by its error before that."""
        drawn = lane_words(Stream(lanes.seed, learner.updates, Purpose.REPLAY), 1, self.replayed)
        place = priorities.draw(drawn[0])
        experience = self._experience(learner, buffer.at(place), lanes, learner.updates)
        experience = experience._replace(weight=priorities.weights(place))
        target = td_target(self._target(learner), experience)
        error = td_error(self._q(learner), target, experience)
        priorities.update(place, error)
        return self._td_step(learner, experience, lanes)

    def update_model(
        self, learner: Learner, batch: Replayed, lanes: Lanes, step: Int64[Tensor, ""]
    ) -> Float32[Tensor, "lane"]:
        """One step of Adam on the model's loss, in place; the Q-network is left alone.

        Args:
            learner: Its model changes.
            batch: Transitions that were met, any number; or trajectories, see `ReplayBuffer.trajectories`.
            lanes: Their seeds decide what is drawn.
            step: Another number, other random words.

        Returns:
            The loss before the step; 0 for a model that learns nothing.
        """
        model = self.model
        if not isinstance(model, LearnedModel):
            return torch.zeros_like(lanes.temperature)

        stream = Stream(lanes.seed, step, Purpose.MODEL_LOSS)

        def loss_of(learned: Perceptrons) -> Tensor:
            return model.loss(learned, batch, stream, lambda: self._target(learner))

        if learner.packed is not None:
            return _learn_by_kernels(model, learner, learner.packed, loss_of)

        def objective(parameters: Parameters) -> Tensor:
            return loss_of(model.perceptrons(parameters))

        gradients, loss = _gradient(objective, learner.model)
        for network, place, moments, gradient in zip(
            model.networks, learner.model, learner.model_moments, gradients, strict=True
        ):
            adam_step(place, moments, gradient, MODEL_STEP_SIZE * network.step_factor)
        return loss

    def update_q(
        self, learner: Learner, starts: Replayed, lanes: Lanes, step: Int64[Tensor, ""]
    ) -> Float32[Tensor, "lane"]:
        """One step of Adam on the TD error of the model's experience, in place; the model is left alone.

        Args:
            learner: Its Q-network changes.
            starts: `model.batch_size` transitions that were met, from which experience is made.
            lanes: Seeds, step sizes and temperatures.
            step: Another number, other random words.

        Returns:
            The loss before the step.
        """
        return self._td_step(learner, self._experience(learner, starts, lanes, step), lanes)

    def _experience(
        self, learner: Learner, starts: Replayed, lanes: Lanes, step: Int64[Tensor, ""]
    ) -> Transitions:
        """What the model makes of transitions that were met."""
        q, packed = self._q(learner), learner.packed

        def behaviour(features: Tensor, drawn: Tensor) -> Tensor:
            return softmax_action(q(features), lanes.temperature, drawn)

        stream = Stream(lanes.seed, step, Purpose.ROLLOUT)
        model = self.model.perceptrons(learner.model, packed and packed.model)
        return self.model.experience(model, starts, behaviour, stream)

    def _td_step(
        self, learner: Learner, experience: Transitions, lanes: Lanes
    ) -> Float32[Tensor, "lane"]:
        """One step of Adam on the TD error, in place; the loss before it."""
        packed = learner.packed
        if packed is not None:
            pairs = ((learner.q, packed.q), (learner.target, packed.target))
            (own,), (held,) = (self.q_network.packed_perceptrons(*pair) for pair in pairs)
            return learning.td_step(own, learner.q_moments, held, experience, lanes.step_size)
        target = td_target(self._target(learner), experience)

        def objective(parameters: Tensor) -> Tensor:
            return td_loss(self.q_network.perceptrons(parameters)[0], target, experience)

        gradient, loss = _gradient(objective, learner.q)
        adam_step(learner.q, learner.q_moments, gradient, lanes.step_size.unsqueeze(1))
        return loss


def _learn_by_kernels(
    model: LearnedModel, learner: Learner, packed: Packed, loss: Callable[[Perceptrons], Tensor]
) -> Float32[Tensor, "lane"]:
    """A step of Adam on the model's loss, in place; the loss before it."""
    networks = [
        network.packed_perceptrons(parameters, packs)
        for network, parameters, packs in zip(
            model.networks, learner.model, packed.model, strict=True
        )
        if isinstance(network, Network)
    ]
    learned = [perceptron for network in networks for perceptron in network]

    def objective(blocks: Parameters) -> Tensor:
        # Viewed, since the compiler does not see that the arguments themselves are differentiated by.
        perceptrons = tuple(
            each._replace(parameters=block.view_as(block))
            for each, block in zip(learned, blocks, strict=True)
        )
        return loss(perceptrons)

    gradients, before = _gradient(objective, tuple(each.parameters for each in learned))
    left = iter(gradients)
    for network, parameters, moments in zip(
        networks, learner.model, learner.model_moments, strict=True
    ):
        own = [next(left) for _ in network]
        learning.adam_step(network, parameters, moments, own, MODEL_STEP_SIZE)
    return before


def _gradient(
    loss: Callable[[Tree], Float[Tensor, "lane"]], parameters: Tree
) -> tuple[Tree, Tensor]:
    """The gradient of each lane's loss, and the losses.

    Lanes share no parameter, so that the gradient of the sum is that of each.
    """

    def summed(parameters: Tree) -> tuple[Tensor, Tensor]:
        losses = loss(parameters)
        return losses.sum(), losses.detach()

    gradient, losses = torch.func.grad(summed, has_aux=True)(parameters)
    return gradient, losses
