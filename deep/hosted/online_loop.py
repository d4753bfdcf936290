"""The online loop in an environment of the host: as `deep.online_loop`, a copy for each lane."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int32, Int64, UInt8
from torch import Tensor

from deep.acceleration import NONE, Acceleration
from deep.agent import Agent, Lanes, Learner, Learns
from deep.argument_checks import require_integer
from deep.hosted.copies import Copies, Episode, Make
from deep.hosted.features import Encoder
from deep.online_loop import (
    Evaluation,
    OnlineLoop,
    OnlineState,
    Protocol,
    initial_state,
    remember,
)
from deep.random_streams import Purpose, Stream


class EvaluationEpisodes(NamedTuple):
    """How the greedy policy is measured.

    Attributes:
        episodes: Of each lane, in copies of their own.
        steps: The most of an episode; the environment's own time limit may be shorter.
    """

    episodes: int
    steps: int


class Life(NamedTuple):
    """Where the copies of a run are, as tensors that keep their places.

    Attributes:
        episode: Number of each copy's episode.
        begun: The step of the run in which it began.
        action: All actions of the run, by its step.
    """

    episode: Int64[Tensor, "lane"]
    begun: Int64[Tensor, "lane"]
    action: Int32[Tensor, "lane step"]


class HostedLoop(OnlineLoop):
    """A run of many lanes, each in a copy of its own.

    A step that is truncated is stored as one that goes on, from what was seen last; the next one is
    acted on from a fresh start. At `load`, an episode is found again by taking its actions once more; where
    the environment does not repeat itself, the lane is among `restarted` and begins the next one.
    """

    def __init__(
        self,
        agent: Agent,
        protocol: Protocol,
        lanes: Lanes,
        make: Make,
        encoder: Encoder,
        evaluation: EvaluationEpisodes,
        acceleration: Acceleration = NONE,
    ) -> None:
        """Before the first step.

        Args:
            agent: What acts and learns; its model's environment tells the sizes.
            protocol: What happens when.
            lanes: Seeds and settings.
            make: Makes a copy of the environment.
            encoder: Of its observations.
            evaluation: How the greedy policy is measured.
            acceleration: What is done to the agent's computations; the host's steps are captured by none.
        """
        require_integer("episodes", evaluation.episodes, 1)
        require_integer("steps of an evaluation", evaluation.steps, 1)
        if protocol.stale_reset_observation:
            raise ValueError(
                "stale_reset_observation is a quirk of the paper's environments; accepted: False"
            )
        self._make, self._encoder, self._tested = make, encoder, evaluation
        self._copies = Copies(make, len(lanes.seed), encoder, _seeds(lanes, Purpose.RESET))
        super().__init__(agent, protocol, lanes, replace(acceleration, captured=False))
        self._act = self._acceleration.compile(act)

    def _initial_state(self) -> OnlineState:
        seed = self.lanes.seed
        episode = torch.zeros(len(seed), dtype=torch.int64)
        seen = torch.from_numpy(self._copies.begin(episode.numpy())).to(seed.device)
        actions = torch.zeros(len(seed), self.protocol.steps, dtype=torch.int32)
        life = Life(episode, torch.zeros_like(episode), actions)
        return initial_state(self.agent, self.protocol, self.lanes, life, seen)

    def _evaluation_of_learner(self) -> Evaluation:
        return HostedEvaluation(
            self.agent, self.lanes, self.state.learner, self.state.steps,
            self._make, self._encoder, self._tested, self._acceleration,
        )  # fmt: skip

    def _run_segment(self, count: int, learns: Learns | None) -> None:
        for _ in range(count):
            self._interact_with_copies()
            if learns is not None:
                for _ in range(self.protocol.updates_per_step):
                    self._learn(self.agent, self.lanes, self.state, learns)

    def _interact_with_copies(self) -> None:
        state, life = self.state, self.state.environment
        action = self._act(self.agent, self.lanes, state)
        taken = self._copies.step(action.cpu().numpy())
        time, device = int(state.steps), state.observation.device
        life.action[:, time] = action.cpu()
        ended = torch.from_numpy(taken.terminated | taken.truncated)
        life.episode.add_(ended)
        life.begun.masked_fill_(ended, time + 1)
        reward, terminal, seen, shown = (
            torch.from_numpy(part).to(device)
            for part in (taken.reward, taken.terminated, taken.successor, taken.shown)
        )
        remember(state, state.observation, action, reward, terminal, seen)
        state.observation.copy_(shown)

    def load(self, values: Mapping[str, Tensor]) -> None:
        """Take the state from named tensors, and bring the copies where they were.

        Raises:
            ValueError: One is missing, too much, or of another shape or type.
        """
        super().load(values)
        life: Life = self.state.environment
        episodes = [
            Episode(int(number), actions[int(begun) : self.steps].tolist())
            for number, begun, actions in zip(*life, strict=True)
        ]
        fresh = self._copies.begin_at(episodes, self.state.observation.cpu().numpy())
        self.restarted = list(fresh)
        for lane, seen in fresh.items():
            life.episode[lane] += 1
            life.begun[lane] = self.steps
            self.state.observation[lane] = torch.from_numpy(seen)


def act(agent: Agent, lanes: Lanes, state: OnlineState) -> Int64[Tensor, "lane"]:
    """The action of each lane."""
    return agent.act(state.learner, lanes, state.observation, state.steps)


class HostedEvaluation:
    """Measures how well a learner does when it acts greedily, in copies of the environment of its own.

    The performance is the mean undiscounted return of an episode.
    """

    def __init__(
        self,
        agent: Agent,
        lanes: Lanes,
        learner: Learner,
        time: Int64[Tensor, ""],
        make: Make,
        encoder: Encoder,
        evaluation: EvaluationEpisodes,
        acceleration: Acceleration = NONE,
    ) -> None:
        """Make the copies, and evaluate nothing yet; the arguments are those of `GreedyEvaluation`."""
        self._agent, self._lanes, self._learner, self._time = agent, lanes, learner, time
        self._tested = evaluation
        of_lane = _seeds(lanes, Purpose.EVALUATION_RESET)
        count = len(lanes.seed) * evaluation.episodes
        self._copies = Copies(
            make, count, encoder,
            lambda copy, episode: of_lane(copy // evaluation.episodes, episode),
        )  # fmt: skip
        self._choose = acceleration.compile(choose_greedily)

    def __call__(self) -> Float32[Tensor, "lane"]:
        """The performance of each lane; at another time, other episodes."""
        episodes, lanes = self._tested.episodes, len(self._lanes.seed)
        now = int(self._time)
        first = np.tile(now * episodes + np.arange(episodes), lanes)
        seen = self._copies.begin(first)
        running = np.ones(len(first), bool)
        total = np.zeros(len(first), np.float64)
        for step in range(self._tested.steps):
            shown = torch.from_numpy(seen).to(self._lanes.seed.device)
            moment = torch.tensor(now * self._tested.steps + step, device=shown.device)
            action = self._choose(
                self._agent,
                self._learner,
                self._lanes,
                shown.unflatten(0, (lanes, episodes)),
                moment,
            )
            taken = self._copies.step(action.flatten().cpu().numpy(), running)
            total += taken.reward
            running &= ~(taken.terminated | taken.truncated)
            if not running.any():
                break
            seen = taken.shown
        mean = total.reshape(lanes, episodes).mean(1)
        return torch.from_numpy(mean).to(self._lanes.temperature)


def choose_greedily(
    agent: Agent,
    learner: Learner,
    lanes: Lanes,
    seen: UInt8[Tensor, "lane episode feature"],
    moment: Int64[Tensor, ""],
) -> Int64[Tensor, "lane episode"]:
    """The greedy action of every episode."""
    stream = Stream(lanes.seed, moment, Purpose.EVALUATION_REPRESENTATION)
    return agent.values(learner, seen, stream).argmax(-1)


def _seeds(lanes: Lanes, purpose: int) -> Callable[[int, int], int]:
    """The seeds of a lane's episodes, 31 bits each."""
    seeds = lanes.seed.tolist()

    def of(lane: int, episode: int) -> int:
        # Not words of a random stream: one at a time, they would cost more than an episode.
        seed = seeds[lane] % 2**64
        # A number of two words, and one that no other list of numbers has in its place.
        large = (1,) if seed >= 2**32 else ()
        drawn = np.random.SeedSequence((seed, purpose, episode, *large)).generate_state(1)
        return int(drawn[0]) % 2**31

    return of
