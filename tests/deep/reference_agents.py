"""The deep agents in plain form: what the tests hold the batched ones against.

One run at a time, one sample at a time, in float64; all that chance decides comes in as an
argument. Nothing here imports `deep`. Read it against the statement of the agents (paper, sections 2
and 4), line by line.

A network is a list of layers (W [in, out], b [out]); `Networks` are networks by name. An
observation, a latent or a row of draws is a float64 vector. Losses leave out additive constants,
which no gradient sees.
"""

from typing import Any, NamedTuple

import torch
from torch.nn.functional import elu, logsigmoid, one_hot

GAMMA = 0.9
BETA1, BETA2, EPSILON, DECAY = 0.9, 0.99, 1e-5, 1e-6
KL_PRIOR, KL_POSTERIOR = 0.8, 0.2
SMALLEST_DEVIATION, ENCODER_DEVIATION = 1e-6, 0.1
EVALUATION_EPISODES, EVALUATION_STEPS = 32, 100

Networks = dict[str, list[tuple[torch.Tensor, torch.Tensor]]]


class Transition(NamedTuple):
    """What the replay buffer holds; `state` only for the perfect model."""

    observation: torch.Tensor
    action: int
    reward: float
    terminal: bool
    next_observation: torch.Tensor
    state: Any = None


class Sample(NamedTuple):
    """What the Q-network learns from, real or imagined; `features` are what it reads."""

    features: torch.Tensor
    action: int
    reward: float
    continuation: float
    next_features: torch.Tensor
    weight: float


class Learner(NamedTuple):
    """Networks with the state of their optimizer; moments are in the order of `parameters`."""

    networks: Networks
    updates: int
    first_moments: list[torch.Tensor]
    second_moments: list[torch.Tensor]


def stop(x):
    """x, as a constant for the gradient. Rollouts are data; else a gradient is stopped only here."""
    return x.detach()


# Networks and their optimizer


def mlp(layers, x):
    """A feedforward network: ELU after every layer but the last."""
    for W, b in layers[:-1]:
        x = elu(x @ W + b)
    W, b = layers[-1]
    return x @ W + b


def parameters(networks):
    return [tensor for layers in networks.values() for layer in layers for tensor in layer]


def with_parameters(networks, tensors):
    """The same networks with other numbers, given in the order of `parameters`."""
    rest = iter(tensors)
    return {name: [(next(rest), next(rest)) for _ in net] for name, net in networks.items()}


def new_learner(networks):
    zeros = [torch.zeros_like(p) for p in parameters(networks)]
    return Learner(networks, 0, zeros, zeros)


def adam(learner, gradients, step_size):
    """Adam with decoupled decay: DECAY is what a parameter loses a step, whatever the step size."""
    updates = learner.updates + 1
    new, first, second = [], [], []
    moments = zip(learner.first_moments, learner.second_moments, strict=True)
    for p, g, (m, v) in zip(parameters(learner.networks), gradients, moments, strict=True):
        m = BETA1 * m + (1 - BETA1) * g
        v = BETA2 * v + (1 - BETA2) * g**2
        m_hat = m / (1 - BETA1**updates)
        v_hat = v / (1 - BETA2**updates)
        new.append(p - step_size * m_hat / (v_hat.sqrt() + EPSILON) - DECAY * p)
        first.append(m)
        second.append(v)
    return Learner(with_parameters(learner.networks, new), updates, first, second)


def gradients(loss, networks):
    """`loss(networks)`, and its gradient for each tensor of `parameters`: None where it receives none."""
    leaves = [p.detach().clone().requires_grad_() for p in parameters(networks)]
    value = loss(with_parameters(networks, leaves))
    return value.item(), torch.autograd.grad(value, leaves, allow_unused=True)


def descend(learner, loss, step_size):
    """One step of the optimizer on `loss(networks)`; returns the learner and the loss before it."""
    value, found = gradients(loss, learner.networks)
    known = [
        torch.zeros_like(p) if g is None else g
        for p, g in zip(parameters(learner.networks), found, strict=True)
    ]
    return adam(learner, known, step_size), value


def with_action(x, action, num_actions):
    """What a model's network reads: [x, one-hot action]."""
    return torch.cat((x, one_hot(torch.tensor(action), num_actions).double()))


# Q-learning and behaviour


def outcome(logits, uniform):
    """A draw from softmax(logits): the first outcome up to which the probabilities exceed a uniform draw."""
    cumulated = logits.softmax(-1).cumsum(-1)
    return min(int((cumulated <= uniform).sum()), len(logits) - 1)  # they end at 1 less a rounding


def softmax_action(values, temperature, uniform):
    return outcome(values / temperature, uniform)


def q_loss(q, target, samples):
    """Weighted squared one-step TD error; the mean is over all samples, not over the weights."""
    total = 0.0
    for s in samples:
        bootstrap = stop(mlp(target, s.next_features)).max()
        error = mlp(q, s.features)[s.action] - (s.reward + GAMMA * s.continuation * bootstrap)
        total = total + s.weight * error**2
    return total / len(samples)


def q_update(learner, target, samples, step_size):
    def loss(networks):
        return q_loss(networks["q"], target, samples)

    return descend(learner, loss, step_size)


def target_after(step, every, q, target):
    """The target network is a copy of the Q-network, taken every so many environment steps."""
    return q if step % every == 0 else target


# Negative log-likelihoods


def gaussian_nll(mean, value):
    """Unit variance, without the constant log(2 pi) / 2."""
    return (mean - value) ** 2 / 2


def bernoulli_nll(logits, values):
    """Independent Bernoulli variables with P(1) = sigmoid(logit), summed."""
    return -(values * logsigmoid(logits) + (1 - values) * logsigmoid(-logits)).sum()


# ER


def replayed_samples(batch):
    """Transitions as they were met; nothing is bootstrapped from the successor of a terminal one."""
    return [
        Sample(t.observation, t.action, t.reward, 0.0 if t.terminal else 1.0, t.next_observation, 1)
        for t in batch
    ]


def er_update(learner, target, batch, step_size):
    return q_update(learner, target, replayed_samples(batch), step_size)


# The simple model: networks reward, continuation, next_observation on [observation, one-hot action]


def simple_loss(networks, batch, num_actions):
    """Sum of the negative log-likelihoods, mean over the batch; no next observation after a terminal step."""
    total = 0.0
    for t in batch:
        x = with_action(t.observation, t.action, num_actions)
        total = total + gaussian_nll(mlp(networks["reward"], x)[0], t.reward)
        continues = torch.tensor([0.0 if t.terminal else 1.0]).double()
        total = total + bernoulli_nll(mlp(networks["continuation"], x), continues)
        if not t.terminal:
            total = total + bernoulli_nll(mlp(networks["next_observation"], x), t.next_observation)
    return total / len(batch)


def simple_rollout(networks, q, start, draws, temperature, *, episodic, clipped=False):
    """Imagined samples from one observation on.

    Args:
        draws: For each step a pair of uniform draws: one for the action, and one for each feature.
        clipped: Draw a feature with P(1) = clip(logit, 0, 1) in place of sigmoid(logit).
    """
    samples, x, alive = [], start, 1.0
    with torch.no_grad():
        for uniform, uniforms in draws:
            values = mlp(q, x)
            action = softmax_action(values, temperature, uniform)
            read = with_action(x, action, len(values))
            reward = mlp(networks["reward"], read).item()
            continuation = torch.sigmoid(mlp(networks["continuation"], read)).item()
            logits = mlp(networks["next_observation"], read)
            chance = logits.clamp(0, 1) if clipped else torch.sigmoid(logits)
            next_x = (uniforms < chance).double()
            samples.append(Sample(x, action, reward, continuation, next_x, alive))
            x = next_x
            if episodic:
                alive *= continuation
    return samples


# Latent distributions. `read` makes one of a network's output, `sample` draws a latent as one flat vector.


class Categorical(NamedTuple):
    """Independent variables; a latent is their one-hot vectors, one after the other."""

    logits: torch.Tensor  # [variable, class]

    @staticmethod
    def read(output, variables, *, encoder):
        return Categorical(output.reshape(variables, -1))

    def stopped(self):
        return Categorical(stop(self.logits))

    def sample(self, uniforms):
        """Straight-through: the value of a one-hot draw, the gradient of the probabilities."""
        drawn = [outcome(row, u) for row, u in zip(stop(self.logits), uniforms, strict=True)]
        hard = one_hot(torch.tensor(drawn), self.logits.shape[-1]).double()
        probabilities = self.logits.softmax(-1)
        return (hard + probabilities - stop(probabilities)).flatten()

    def kl(self, other):
        """KL(self || other), summed over the variables."""
        log_p, log_q = self.logits.log_softmax(-1), other.logits.log_softmax(-1)
        return (log_p.exp() * (log_p - log_q)).sum()


class Gaussian(NamedTuple):
    """Independent normal variables. A network's output is the means, then what makes the deviations."""

    mean: torch.Tensor
    deviation: torch.Tensor

    @staticmethod
    def read(output, variables, *, encoder):
        mean, raw = output[:variables], output[variables:]
        deviation = (2 * torch.sigmoid(raw / 2)).clamp(min=SMALLEST_DEVIATION)
        return Gaussian(mean, deviation + (ENCODER_DEVIATION if encoder else 0.0))

    def stopped(self):
        return Gaussian(stop(self.mean), stop(self.deviation))

    def sample(self, normals):
        """Reparameterized: value and gradient of mean + deviation * normal."""
        return self.mean + self.deviation * normals

    def kl(self, other):
        """KL(self || other), summed over the variables."""
        spread = self.deviation**2 + (self.mean - other.mean) ** 2
        logs = torch.log(other.deviation) - torch.log(self.deviation)
        return (logs + spread / (2 * other.deviation**2) - 0.5).sum()


def balanced_kl(posterior, prior):
    """Draws the prior to the posterior with 0.8, the posterior to the prior with 0.2."""
    return KL_PRIOR * posterior.stopped().kl(prior) + KL_POSTERIOR * posterior.kl(prior.stopped())


# The latent models: networks encoder, decoder, dynamics, reward, continuation


def encoded(kind, variables, networks, observation):
    return kind.read(mlp(networks["encoder"], observation), variables, encoder=True)


def predicted(kind, variables, networks, latent_and_action):
    return kind.read(mlp(networks["dynamics"], latent_and_action), variables, encoder=False)


def latent_loss(kind, variables, networks, batch, noise, num_actions):
    """Sum of the terms, mean over the batch.

    The decoder's term is for the current observation, and is dropped where the transition is terminal; the KL term
    never is.

    Args:
        noise: For each transition the draw of its current latent: for each variable, uniform or normal.
    """
    total = 0.0
    for t, draw in zip(batch, noise, strict=True):
        z = encoded(kind, variables, networks, t.observation).sample(draw)
        if not t.terminal:
            total = total + bernoulli_nll(mlp(networks["decoder"], z), t.observation)
        za = with_action(z, t.action, num_actions)
        total = total + gaussian_nll(mlp(networks["reward"], za)[0], t.reward)
        continues = torch.tensor([0.0 if t.terminal else 1.0]).double()
        total = total + bernoulli_nll(mlp(networks["continuation"], za), continues)
        posterior = encoded(kind, variables, networks, t.next_observation)
        prior = predicted(kind, variables, networks, za)
        total = total + balanced_kl(posterior, prior)
    return total / len(batch)


def latent_rollout(
    kind, variables, networks, q, start, first_noise, draws, temperature, *, episodic
):
    """Imagined samples from one observation on; the Q-network reads sampled latents.

    Args:
        first_noise: The draw of the first latent, from the encoder.
        draws: For each step a pair: a uniform draw for the action, and the draw of the next latent.
    """
    samples, alive = [], 1.0
    with torch.no_grad():
        z = encoded(kind, variables, networks, start).sample(first_noise)
        for uniform, noise in draws:
            values = mlp(q, z)
            action = softmax_action(values, temperature, uniform)
            za = with_action(z, action, len(values))
            reward = mlp(networks["reward"], za).item()
            continuation = torch.sigmoid(mlp(networks["continuation"], za)).item()
            next_z = predicted(kind, variables, networks, za).sample(noise)
            samples.append(Sample(z, action, reward, continuation, next_z, alive))
            z = next_z
            if episodic:
                alive *= continuation
    return samples


# The perfect model


def perfect_rollout(transition, observe, q, start, uniforms, temperature):
    """Samples from one state on, by the environment's own transition.

    A terminal step is not bootstrapped from, and all later steps have weight 0.

    Args:
        transition: (state, action, index of the step) -> (next state, reward, terminal), chance decided.
        observe: What the Q-network reads of a state.
        uniforms: For each step a draw for the action.
    """
    samples, state, alive = [], start, 1.0
    for step, uniform in enumerate(uniforms):
        x = observe(state)
        action = softmax_action(mlp(q, x), temperature, uniform)
        state, reward, terminal = transition(state, action, step)
        continuation = 0.0 if terminal else 1.0
        samples.append(Sample(x, action, reward, continuation, observe(state), alive))
        alive *= continuation
    return samples


# One update


def model_based_update(model, q, target, loss, rollouts, *, model_step_size, q_step_size):
    """The batch trains the model; then the Q-network learns from rollouts of the new model.

    Args:
        model: Learner of the model.
        q: Learner of the Q-network.
        loss: networks of the model -> its loss on the batch.
        rollouts: networks of the model, Q-network -> a list of samples for each start.

    Returns:
        Model, Q learner, model loss, Q loss.
    """
    model, model_loss = descend(model, loss, model_step_size)
    imagined = rollouts(model.networks, q.networks["q"])
    samples = [sample for rollout in imagined for sample in rollout]
    q, loss_of_q = q_update(q, target, samples, q_step_size)
    return model, q, model_loss, loss_of_q


# The run: interaction and evaluation


def experience(initial, observe, act, transition, fresh, steps, *, stale=False):
    """Make one run; yields its transitions one by one, as they go into the replay buffer.

    Args:
        act: (time, observation) -> action.
        transition: (time, state, action) -> (successor, reward, terminal).
        fresh: time -> the state after an episode that ended in that step.
        stale: Whether the agent acts once on the pre-reset observation after a terminal step.
    """
    state, seen = initial, observe(initial)
    for time in range(steps):
        action = act(time, seen)
        successor, reward, terminal = transition(time, state, action)
        yield Transition(seen, action, reward, terminal, observe(successor), state)
        state = fresh(time) if terminal else successor
        seen = observe(successor) if terminal and stale else observe(state)


def evaluation(initial, act, transition, *, episodic):
    """Mean over the episodes of a greedy policy's performance.

    Episodic: the undiscounted return until termination, cut after the last step. Continuing: the mean reward a step.

    Args:
        initial: episode -> first state.
        act: (episode, time, state) -> action.
        transition: (episode, time, state, action) -> (successor, reward, terminal).
    """
    scores = []
    for episode in range(EVALUATION_EPISODES):
        state, rewards = initial(episode), []
        for time in range(EVALUATION_STEPS):
            action = act(episode, time, state)
            state, reward, terminal = transition(episode, time, state, action)
            rewards.append(reward)
            if terminal:
                break
        scores.append(sum(rewards) if episodic else sum(rewards) / len(rewards))
    return sum(scores) / len(scores)
