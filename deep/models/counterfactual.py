"""Counterfactual replay: real transitions recombined factor by factor, without a learned model.

After Pitis, Creager and Garg (2020) and Pitis et al. (2022), with two differences: the structure is known, and is not
learned; and the next state is not predicted, but taken over with what it depends on.

Let two transitions have the same action, and both have gone their usual course from ordinary states. Each factor of
the successor depends on its parents alone. Take some factors, before and after the step, from the one and
the others from the other: if every factor has all those of its parents in which the two differ from the same
transition as itself, then the result is what the environment does in the state so made. The smallest sets
of factors that may be exchanged are the connected components of the graph that joins a factor to those
parents. For each of them a fair coin decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from deep.environments import Scopes
from deep.models.model import Behaviour
from deep.models.replay import Replay
from deep.networks import Perceptrons
from deep.one_hot import one_hot
from deep.q_learning import Transitions
from deep.random_streams import Purpose, Stream, integers, lane_words
from deep.replay_buffer import Replayed

MOST_FACTORS = 62
"""A set of them is a whole number."""


@dataclass(frozen=True)
class CounterfactualReplay(Replay):
    """ER on recombined transitions.

    Each replayed transition is recombined with another of the same batch, of the same action. It stays as it is where
    one of the two was, or may have been, no usual step, and where the result would be no state of the
    environment or none from which a usual step leads. Reward and end of the result are known functions of
    its state: they are read off the environment's own step, whose successor is not looked at.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.environment.scopes is None:
            raise ValueError(
                "counterfactual replay needs an environment whose scopes are known, got "
                f"{type(self.environment).__name__}"
            )
        if len(self.environment.scopes.factors) > MOST_FACTORS:
            raise ValueError(
                f"counterfactual replay takes at most {MOST_FACTORS} factors, "
                f"got {len(self.environment.scopes.factors)}"
            )

    def experience(
        self,
        learned: Perceptrons,
        batch: Replayed,
        behaviour: Behaviour,
        stream: Stream,
    ) -> Transitions:
        """The batch, recombined."""
        recombined = self.recombine(batch, stream)
        return super().experience(learned, recombined, behaviour, stream)

    def recombine(self, batch: Replayed, stream: Stream) -> Replayed:
        """Transitions that could have been met, from those that were.

        Args:
            batch: What was met.
            stream: Of the random words that are drawn.
        """
        environment, scopes = self.environment, self.environment.scopes
        assert scopes is not None
        factors, size = len(scopes.factors), batch.action.shape[1]
        drawn = lane_words(stream._replace(purpose=Purpose.RECOMBINATION), 1 + factors, size)
        usual = self._usual(batch)
        partner = self._partner(batch.action, usual, drawn[0])
        other = Replayed(*(_taken(field, partner) for field in batch.transitions))
        differs = self._differs(batch, other)
        exchanged = (drawn[1:] < 0).movedim(0, 2).gather(2, self._component(batch, differs))
        features = exchanged[..., _constant(scopes.factor_of_feature, batch.action.device)]
        before = torch.where(features, other.observation, batch.observation)
        after = torch.where(features, other.next_observation, batch.next_observation)
        state = environment.from_observation(before)
        outcome = environment.usual(state, batch.action)
        made = usual & environment.ordinary(state)
        wide = made.unsqueeze(2)
        return Replayed(
            torch.where(wide, before, batch.observation),
            batch.action,
            torch.where(made, outcome.reward, batch.reward),
            torch.where(made, outcome.terminal, batch.terminal),
            torch.where(wide, after, batch.next_observation),
        )

    def _usual(self, batch: Replayed) -> Bool[Tensor, "lane batch"]:
        """Steps that surely took their usual course from an ordinary state."""
        environment = self.environment
        state, successor = map(
            environment.from_observation, (batch.observation, batch.next_observation)
        )
        event = environment.event_shows(successor)
        return environment.ordinary(state) & ~event & ~batch.terminal

    def _partner(
        self,
        action: Int64[Tensor, "lane batch"],
        usual: Bool[Tensor, "lane batch"],
        drawn: Tensor,
    ) -> Int64[Tensor, "lane batch"]:
        """For each transition one of its group, uniformly: of the same action, usual ones by themselves.

        A transition can be its own partner.
        """
        groups = 2 * self.environment.num_actions
        group = 2 * action + usual
        size = one_hot(group, groups).sum(1).long()
        first = size.cumsum(1) - size
        own_size, own_first = size.gather(1, group), first.gather(1, group)
        ordered = group.argsort(stable=True, dim=1)
        return ordered.gather(1, own_first + integers(drawn, own_size))

    def _differs(self, one: Replayed, other: Replayed) -> Bool[Tensor, "lane batch factor"]:
        """In which factors of the state two transitions begin unlike."""
        scopes = self.environment.scopes
        assert scopes is not None
        device = one.action.device
        members = one_hot(_constant(scopes.factor_of_feature, device), len(scopes.factors))
        unlike = (one.observation != other.observation).float()
        return unlike @ members > 0

    def _component(
        self, batch: Replayed, differs: Bool[Tensor, "lane batch factor"]
    ) -> Int64[Tensor, "lane batch factor"]:
        """For each factor the first of those that it has to be exchanged with."""
        scopes = self.environment.scopes
        assert scopes is not None
        parents = _parents(scopes, batch.action.device)[batch.action]
        linked = parents & differs.unsqueeze(2)
        factors = differs.shape[2]
        itself = torch.eye(factors, dtype=torch.bool, device=differs.device)
        reached = (linked | linked.transpose(2, 3) | itself).float()
        for _ in range((factors - 1).bit_length()):
            reached = (reached @ reached).clamp(max=1)
        return reached.argmax(3)


def _taken(field: Tensor, place: Int64[Tensor, "lane batch"]) -> Tensor:
    """The entries of each lane in these places."""
    index = place.view(*place.shape, *[1] * (field.dim() - 2)).expand_as(field)
    return field.gather(1, index)


def _parents(scopes: Scopes, device: torch.device) -> Bool[Tensor, "action factor factor"]:
    """Whether the factor of the successor (row) depends on one of the state (column)."""
    count = len(scopes.factors)
    sets = [sum(1 << parent for parent in own) for action in scopes.parents for own in action]
    bit = torch.arange(count, device=device)
    member = (_constant(sets, device).unsqueeze(1) >> bit) & 1
    return member.view(-1, count, count).bool()


def _constant(numbers: Sequence[int], device: torch.device) -> Int64[Tensor, "number"]:
    """These numbers, made on the device: copied there, they would be waited for."""
    runs = [(number, len(list(run))) for number, run in groupby(numbers)]
    return torch.cat([torch.full((length,), number, device=device) for number, length in runs])
