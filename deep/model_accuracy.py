"""What a model gets right: how new a situation is, what truly comes of it, and how likely the model thinks that."""

import torch
from jaxtyping import Bool, Float32, Int32, Int64, UInt8
from torch import Tensor

from deep.argument_checks import require_integer
from deep.environments import Environment, Scopes
from deep.models import Parameters, RolloutModel
from deep.one_hot import one_hot
from deep.random_streams import Stream, lane_words, words
from deep.replay_buffer import ReplayBuffer


def novelty(
    scopes: Scopes,
    buffer: ReplayBuffer,
    observation: UInt8[Tensor, "lane batch feature"],
    action: Int64[Tensor, "lane batch"],
) -> Int64[Tensor, "lane batch"]:
    """How new each state with its action is to what the buffer of its lane holds: seen (0), recombined (1), unseen (2).

    A pair is seen if the buffer has a transition from this state by this action. It is recombined if it is not
    seen, but for every factor some transition by this action begins with the same values of all its parents: then
    one who knows the scopes knows what comes of it.

    Args:
        scopes: The factors, and what each depends on.
        buffer: What was met.
        observation: Of the states.
        action: Taken in them.
    """
    lanes, capacity = buffer.action.shape
    found = torch.empty_like(action)
    stored = buffer.stored.clamp(max=capacity).expand(lanes).tolist()
    everything = tuple(range(observation.shape[2]))
    for lane, held in enumerate(stored):
        for number, parents in enumerate(scopes.parents):
            asked = observation[lane, action[lane] == number]
            met = buffer.observation[lane, :held][buffer.action[lane, :held] == number]
            known = torch.ones(len(asked), dtype=torch.bool, device=asked.device)
            for own in set(parents):
                read = tuple(f for parent in sorted(own) for f in scopes.factors[parent])
                known &= torch.isin(_keys(asked, read), _keys(met, read))
            seen = torch.isin(_keys(asked, everything), _keys(met, everything))
            found[lane, action[lane] == number] = torch.where(seen, 0, torch.where(known, 1, 2))
    return found


def _keys(observation: UInt8[Tensor, "row feature"], read: tuple[int, ...]) -> Int64[Tensor, "row"]:
    """A number for what these features are: the sum of a random 64-bit number for each that is 1.

    Two unlike rows share it with a chance of 2^-64.
    """
    seed = torch.zeros((), dtype=torch.int64, device=observation.device)
    low, high = words(Stream(seed, seed, 0), 2 * len(read)).long().view(2, -1)
    return torch.sum(observation[:, list(read)] * ((high << 32) ^ low), 1)


def usual_course(
    environment: Environment[tuple[Tensor, ...]],
    observation: UInt8[Tensor, "lane batch feature"],
    action: Int64[Tensor, "lane batch step"],
) -> tuple[UInt8[Tensor, "lane batch feature"], Bool[Tensor, "lane batch"]]:
    """What is seen after some steps in which no spontaneous event happens, and whether that is determined.

    It is not where the episode ends before or something is drawn anew.

    Args:
        environment: Of known scopes.
        observation: Where the steps begin.
        action: What is done in each.
    """
    state = environment.from_observation(observation)
    determined = torch.ones(observation.shape[:2], dtype=torch.bool, device=observation.device)
    for now in action.unbind(2):
        taken = environment.usual(state, now)
        determined &= environment.ordinary(state) & ~taken.terminal
        state = taken.successor
    return environment.observe(state), determined


def accuracy(
    model: RolloutModel,
    parameters: Parameters,
    observation: UInt8[Tensor, "lane batch feature"],
    action: Int64[Tensor, "lane batch step"],
    following: UInt8[Tensor, "lane batch feature"],
    stream: Stream,
    draws: int,
) -> Float32[Tensor, "lane batch"]:
    """The probability that the model's whole observation after some steps is the given one.

    All steps but the last are imagined, as in a rollout; of the last the probability is known given these, and given
    the latents that a latent model draws. It is averaged over the draws. Where spontaneous events can happen, the
    true law itself is right about the usual course only with the chance that none of them shows in the end.

    Args:
        model: Whose `next_features` are known.
        parameters: Of its networks.
        observation: Where the steps begin.
        action: What is done in each.
        following: What is right.
        stream: Of the random words; of its steps so many are used as there are draws.
        draws: Imagined courses for each.

    Raises:
        ValueError: `draws` is less than 1.
    """
    require_integer("draws", draws, 1)
    learned = model.perceptrons(parameters)
    batch, steps = action.shape[1:]
    total = torch.zeros(action.shape[:2], device=action.device)
    right = following.bool()
    for draw in range(draws):
        own = stream._replace(step=stream.step + draw)
        drawn = lane_words(own, model.represent_words + steps * model.step_words, batch)
        state = model.start(learned, observation, drawn[: model.represent_words])
        for time in range(steps - 1):
            state, _ = model.step(learned, state, action[..., time], _of_step(model, drawn, time))
        last = _of_step(model, drawn, steps - 1)
        chance = model.next_features(learned, state, action[..., -1], last)
        total += torch.where(right, chance, 1 - chance).prod(2)
    return total / draws


def _of_step(
    model: RolloutModel, drawn: Int32[Tensor, "word lane batch"], time: int
) -> Int32[Tensor, "step_word lane batch"]:
    first = model.represent_words + time * model.step_words
    return drawn[first : first + model.step_words]


def factors_read(
    scopes: Scopes, gates: Bool[Tensor, "lane feature feature"]
) -> Bool[Tensor, "lane factor factor"]:
    """Whether, of a structured model, a feature of the second factor is predicted from one of the first."""
    factor = torch.tensor(scopes.factor_of_feature, device=gates.device)
    members = one_hot(factor, len(scopes.factors))
    return (members.T @ gates.float() @ members) > 0


def parent_pairs(scopes: Scopes, device: torch.device) -> Bool[Tensor, "factor factor"]:
    """Whether the first factor is a parent of the second, for some action."""
    number = len(scopes.factors)
    pairs = torch.zeros(number, number, dtype=torch.bool)
    for own in scopes.parents:
        for child, parents in enumerate(own):
            pairs[list(parents), child] = True
    return pairs.to(device)
