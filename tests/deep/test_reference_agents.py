"""The oracle of the deep agents against finite differences, torch's distributions and AdamW, and worked examples."""

from itertools import pairwise
from math import exp, log

import numpy as np
import pytest
import torch
from torch import tensor
from torch.distributions import Bernoulli, Normal, OneHotCategorical, kl_divergence

from tests.deep import reference_agents as reference
from tests.deep.reference_agents import Categorical, Gaussian, Learner, Sample, Transition

ACTIONS, FEATURES, VARIABLES, CLASSES, HIDDEN = 2, 3, 2, 3, 4


def row(*values):
    return tensor(values, dtype=torch.float64)


def vector(rng, *shape):
    return tensor(rng.normal(size=shape))


def network(rng, inputs, outputs):
    sizes = [inputs, HIDDEN, HIDDEN, HIDDEN, outputs]
    return [(vector(rng, i, o), vector(rng, o)) for i, o in pairwise(sizes)]


def simple_networks(rng):
    outputs = {"reward": 1, "continuation": 1, "next_observation": FEATURES}
    return {name: network(rng, FEATURES + ACTIONS, n) for name, n in outputs.items()}


def latent_networks(rng, kind):
    width, head = {
        Categorical: (VARIABLES * CLASSES, VARIABLES * CLASSES),
        Gaussian: (VARIABLES, 2 * VARIABLES),
    }[kind]
    return {
        "encoder": network(rng, FEATURES, head),
        "decoder": network(rng, width, FEATURES),
        "dynamics": network(rng, width + ACTIONS, head),
        "reward": network(rng, width + ACTIONS, 1),
        "continuation": network(rng, width + ACTIONS, 1),
    }


def latent_noise(rng, kind):
    draw = rng.random if kind is Categorical else rng.normal
    return tensor(draw(size=VARIABLES))


def bits(rng):
    return tensor(rng.integers(2, size=FEATURES)).double()


def transitions(rng, terminal):
    return [
        Transition(bits(rng), int(rng.integers(ACTIONS)), rng.normal(), t, bits(rng))
        for t in terminal
    ]


def samples(rng, count):
    return [
        Sample(
            vector(rng, FEATURES),
            int(rng.integers(ACTIONS)),
            rng.normal(),
            rng.random(),
            vector(rng, FEATURES),
            rng.random(),
        )
        for _ in range(count)
    ]


class Tape:
    """Stands in for `stop`: later passes get the constants of the first, so that differences see what is stopped."""

    def __init__(self):
        self.constants, self.position, self.recording = [], 0, True

    def __call__(self, x):
        if self.recording:
            self.constants.append(x.detach().clone())
        self.position += 1
        return self.constants[self.position - 1]

    def rewind(self):
        self.position, self.recording = 0, False


def assert_gradients_are_slopes(monkeypatch, rng, networks, loss, step=1e-6):
    """For every network, along three random directions; one network's tensors at a time."""
    tape = Tape()
    monkeypatch.setattr(reference, "stop", tape)
    _, found = reference.gradients(loss, networks)
    position, leaves = 0, reference.parameters(networks)
    for layers in networks.values():
        own = slice(position, position + 2 * len(layers))
        position = own.stop
        for _ in range(3):
            directions = [vector(rng, *leaf.shape) for leaf in leaves[own]]
            slope = 0.0
            for sign in (1, -1):
                moved = list(leaves)
                moved[own] = [
                    p + sign * step * d for p, d in zip(leaves[own], directions, strict=True)
                ]
                tape.rewind()
                value = loss(reference.with_parameters(networks, moved)).item()
                slope += sign * value / (2 * step)
            expected = sum(
                (g * d).sum().item()
                for g, d in zip(found[own], directions, strict=True)
                if g is not None
            )
            assert slope == pytest.approx(expected, rel=1e-6, abs=1e-7)


# Networks and optimizer


def test_a_network_is_an_elu_after_each_layer_but_the_last():
    layers = [(row(1.0)[None], row(b)) for b in (0.0, -3.0, 0.7, 7.0)]
    from_2 = exp(2 - 3) - 1 + 0.7
    from_minus_2 = exp(exp(exp(-2) - 1 - 3) - 1 + 0.7) - 1
    assert reference.mlp(layers, row(2.0)).item() == pytest.approx(from_2 + 7)
    assert reference.mlp(layers, row(-2.0)).item() == pytest.approx(from_minus_2 + 7)


def test_the_gradient_of_elu_at_0_is_1():
    x = row(0.0).requires_grad_()
    identity = (row(1.0)[None], row(0.0))
    assert torch.autograd.grad(reference.mlp([identity] * 4, x).sum(), x)[0].item() == 1


@pytest.mark.parametrize("step_size", [3.125e-6, 2e-4, 1.6e-3])
def test_the_optimizer_is_torchs_adamw_whose_decay_is_divided_by_the_step_size(step_size):
    rng = np.random.default_rng(0)
    learner = reference.new_learner({"q": network(rng, 2, 2)})
    theirs = [p.clone().requires_grad_() for p in reference.parameters(learner.networks)]
    adamw = torch.optim.AdamW(
        theirs, lr=step_size, betas=(0.9, 0.99), eps=1e-5, weight_decay=1e-6 / step_size
    )
    for _ in range(20):
        gradients = [vector(rng, *p.shape) * 10 ** rng.uniform(-6, 1) for p in theirs]
        for p, g in zip(theirs, gradients, strict=True):
            p.grad = g
        adamw.step()
        learner = reference.adam(learner, gradients, step_size)
    assert learner.updates == 20
    for ours, p in zip(reference.parameters(learner.networks), theirs, strict=True):
        torch.testing.assert_close(ours, p.detach(), rtol=1e-13, atol=1e-15)


def test_a_parameter_without_gradient_decays_by_a_millionth_whatever_the_step_size():
    networks = {"q": [(row(1.0)[None], row(1.0))]}
    zeros = [row(0.0)[None], row(0.0)]
    for step_size in (1e-6, 1.0):
        after = reference.adam(Learner(networks, 5, zeros, zeros), zeros, step_size)
        assert [p.item() for p in reference.parameters(after.networks)] == [1 - 1e-6] * 2


def test_the_target_is_copied_at_multiples_of_its_period():
    assert [reference.target_after(t, 3, "q", "old") for t in range(1, 7)] == [
        "old",
        "old",
        "q",
        "old",
        "old",
        "q",
    ]


# Q-learning


def test_the_q_loss_of_a_worked_example():
    """One feature, no hidden layer: Q(x) = (x, 2x), target Q'(x) = (3x, -x)."""

    def linear(*slopes):
        return [(row(*slopes)[None], row(0, 0))]

    one, two = row(1), row(2)
    both = [Sample(one, 1, -1.0, 0.5, two, 1.0), Sample(two, 0, 1.0, 0.0, one, 0.25)]
    errors = (2 - (-1 + 0.9 * 0.5 * 6), 2 - 1)
    expected = (errors[0] ** 2 + 0.25 * errors[1] ** 2) / 2
    assert reference.q_loss(linear(1, 2), linear(3, -1), both).item() == pytest.approx(expected)


def test_the_gradient_of_the_q_loss_is_its_slope_even_where_the_target_is_the_network_itself(
    monkeypatch,
):
    rng = np.random.default_rng(1)
    chosen = samples(rng, 5)
    assert_gradients_are_slopes(
        monkeypatch,
        rng,
        {"q": network(rng, FEATURES, ACTIONS)},
        lambda networks: reference.q_loss(networks["q"], networks["q"], chosen),
    )


def test_the_target_network_receives_no_gradient():
    rng = np.random.default_rng(2)
    chosen = samples(rng, 2)
    networks = {name: network(rng, FEATURES, ACTIONS) for name in ("q", "target")}
    _, found = reference.gradients(
        lambda n: reference.q_loss(n["q"], n["target"], chosen), networks
    )
    assert [g is None for g in found] == [False] * 8 + [True] * 8


def test_replayed_samples_stop_at_terminal_steps_alone_and_weigh_the_same():
    batch = transitions(np.random.default_rng(3), [True, False])
    assert [(s.continuation, s.weight) for s in reference.replayed_samples(batch)] == [
        (0, 1),
        (1, 1),
    ]


def test_a_softmax_action_is_where_a_uniform_draw_falls_among_the_probabilities():
    values = 0.5 * row(log(0.2), log(0.5), log(0.3))
    drawn = [reference.softmax_action(values, 0.5, u) for u in (0, 0.199, 0.201, 0.699, 0.701, 1)]
    assert drawn == [0, 0, 1, 1, 2, 2]


# The simple model


def test_negative_log_likelihoods_are_torchs_less_their_constants():
    rng = np.random.default_rng(5)
    logits, values = vector(rng, 4), row(0, 1, 1, 0)
    ours = reference.bernoulli_nll(logits, values)
    torch.testing.assert_close(ours, -Bernoulli(logits=logits).log_prob(values).sum())
    theirs = -Normal(row(0.3), 1.0).log_prob(row(2.0))
    constant = 0.5 * log(2 * np.pi)
    assert reference.gaussian_nll(0.3, 2.0) == pytest.approx(theirs.item() - constant)


def test_the_gradient_of_the_simple_loss_is_its_slope(monkeypatch):
    rng = np.random.default_rng(6)
    batch = transitions(rng, [False, True, False])
    assert_gradients_are_slopes(
        monkeypatch,
        rng,
        simple_networks(rng),
        lambda n: reference.simple_loss(n, batch, ACTIONS),
    )


def test_a_terminal_transition_teaches_the_simple_model_no_next_observation():
    rng = np.random.default_rng(7)
    batch = transitions(rng, [True, True])
    networks = simple_networks(rng)
    _, found = reference.gradients(lambda n: reference.simple_loss(n, batch, ACTIONS), networks)
    assert [g is None for g in found] == [False] * 16 + [True] * 8


def constant_networks(reward, continuation, next_logits):
    """A simple model that predicts the same whatever it reads."""
    outputs = {"reward": [reward], "continuation": [continuation], "next_observation": next_logits}
    return {
        name: [(torch.zeros(FEATURES + ACTIONS, len(bias)).double(), row(*bias))]
        for name, bias in outputs.items()
    }


def constant_rollout(episodic, clipped=False):
    model = constant_networks(3.0, log(3), [0.4, 4.0, -4.0])
    q = [(torch.zeros(FEATURES, ACTIONS).double(), row(0, 1))]
    draws = [(u, row(u, u, u)) for u in (0.5, 0.99, 0.0)]
    start = row(1, 0, 1)
    return reference.simple_rollout(model, q, start, draws, 1.0, episodic=episodic, clipped=clipped)


def test_an_imagined_step_weighs_the_chance_that_its_episode_went_on_until_it():
    rollout = constant_rollout(episodic=True)
    assert [s.weight for s in rollout] == pytest.approx([1, 0.75, 0.75**2])
    assert [s.weight for s in constant_rollout(episodic=False)] == [1, 1, 1]
    assert all(s.continuation == pytest.approx(0.75) and s.reward == 3 for s in rollout)
    assert [s.action for s in rollout] == [1, 1, 0]


def test_imagined_features_are_drawn_from_their_probabilities_and_carried_on():
    rollout = constant_rollout(episodic=True)
    # sigmoid of the logits: 0.5987, 0.982, 0.018
    expected = [[1, 1, 0], [0, 0, 0], [1, 1, 1]]
    assert [s.next_features.tolist() for s in rollout] == expected
    assert [s.features.tolist() for s in rollout] == [[1, 0, 1], *expected[:-1]]


def test_clipped_sampling_takes_the_logit_for_a_probability():
    rollout = constant_rollout(episodic=True, clipped=True)
    # the logits cut to 0..1: 0.4, 1, 0
    expected = [[0, 1, 0], [0, 1, 0], [1, 1, 0]]
    assert [s.next_features.tolist() for s in rollout] == expected


# Latent models


def test_categorical_kl_is_torchs():
    rng = np.random.default_rng(8)
    p, q = vector(rng, VARIABLES, CLASSES), vector(rng, VARIABLES, CLASSES)
    theirs = kl_divergence(OneHotCategorical(logits=p), OneHotCategorical(logits=q)).sum()
    torch.testing.assert_close(Categorical(p).kl(Categorical(q)), theirs)


def test_gaussian_kl_is_torchs():
    rng = np.random.default_rng(9)
    p, q = ((vector(rng, VARIABLES), vector(rng, VARIABLES).exp()) for _ in range(2))
    theirs = kl_divergence(Normal(*p), Normal(*q)).sum()
    torch.testing.assert_close(Gaussian(*p).kl(Gaussian(*q)), theirs)


def test_a_balanced_kl_moves_the_prior_four_times_as_much_as_the_posterior():
    rng = np.random.default_rng(10)
    p, q = (vector(rng, VARIABLES, CLASSES).requires_grad_() for _ in range(2))
    plain = torch.autograd.grad(Categorical(p).kl(Categorical(q)), (p, q))
    value = reference.balanced_kl(Categorical(p), Categorical(q))
    balanced = torch.autograd.grad(value, (p, q))
    torch.testing.assert_close(value, Categorical(p).kl(Categorical(q)))
    torch.testing.assert_close(balanced[0], 0.2 * plain[0])
    torch.testing.assert_close(balanced[1], 0.8 * plain[1])


def test_a_deviation_is_twice_a_sigmoid_cut_below_and_a_tenth_more_in_the_encoder():
    output = row(5, 6, 7, 0, 2, -100)
    for encoder in (False, True):
        read = Gaussian.read(output, 3, encoder=encoder)
        assert read.mean.tolist() == [5, 6, 7]
        expected = [1.0, 2 / (1 + exp(-1.0)), 1e-6]
        assert read.deviation.tolist() == pytest.approx([e + 0.1 * encoder for e in expected])


def test_the_straight_through_gradient_is_that_of_the_probabilities_at_the_drawn_value():
    rng = np.random.default_rng(11)
    logits = vector(rng, 1, CLASSES).requires_grad_()
    weights = vector(rng, CLASSES)
    drawn = Categorical(logits).sample(row(1))
    hard = row(0, 0, 1)
    torch.testing.assert_close(drawn.detach(), hard)
    ours = torch.autograd.grad((weights * drawn**2).sum(), logits)[0]
    p = logits.detach()[0].softmax(0)
    jacobian = torch.diag(p) - torch.outer(p, p)
    torch.testing.assert_close(ours[0], jacobian @ (2 * weights * hard))


@pytest.mark.parametrize("kind", [Categorical, Gaussian])
def test_the_gradient_of_a_latent_loss_is_its_slope_with_what_is_stopped_held_still(
    kind, monkeypatch
):
    rng = np.random.default_rng(12)
    batch = transitions(rng, [False, True, False])
    noise = [latent_noise(rng, kind) for _ in batch]
    assert_gradients_are_slopes(
        monkeypatch,
        rng,
        latent_networks(rng, kind),
        lambda n: reference.latent_loss(kind, VARIABLES, n, batch, noise, ACTIONS),
    )


@pytest.mark.parametrize("kind", [Categorical, Gaussian])
def test_a_terminal_transition_teaches_all_of_a_latent_model_but_its_decoder(kind):
    rng = np.random.default_rng(13)
    batch = transitions(rng, [True])
    noise = [latent_noise(rng, kind)]
    networks = latent_networks(rng, kind)
    _, found = reference.gradients(
        lambda n: reference.latent_loss(kind, VARIABLES, n, batch, noise, ACTIONS), networks
    )
    assert list(networks)[:2] == ["encoder", "decoder"]
    assert [g is None for g in found] == [False] * 8 + [True] * 8 + [False] * 24


@pytest.mark.parametrize("kind", [Categorical, Gaussian])
def test_the_q_loss_does_not_reach_a_latent_model(kind):
    rng = np.random.default_rng(14)
    networks = latent_networks(rng, kind)
    width = networks["decoder"][0][0].shape[0]
    networks["q"] = network(rng, width, ACTIONS)
    draws = [(rng.random(), latent_noise(rng, kind)) for _ in range(3)]
    first = latent_noise(rng, kind)

    def loss(n):
        rollout = reference.latent_rollout(
            kind, VARIABLES, n, n["q"], bits(rng), first, draws, 1.0, episodic=True
        )
        return reference.q_loss(n["q"], n["q"], rollout)

    _, found = reference.gradients(loss, networks)
    assert [g is None for g in found] == [True] * 40 + [False] * 8


# The perfect model, the run, evaluation


def countdown(state, action, step):
    """A state is the number of steps left; the step from 0 is terminal."""
    return state - 1, -1.0, state == 0


def test_a_terminal_step_of_the_perfect_model_ends_bootstrapping_and_weight():
    q = [(row(0, 0)[None], row(0, 0))]
    rollout = reference.perfect_rollout(countdown, lambda s: row(s), q, 2, [0.5] * 5, 1.0)
    assert [s.continuation for s in rollout[:3]] == [1, 1, 0]
    assert [s.weight for s in rollout] == [1, 1, 1, 0, 0]
    assert [s.features.item() for s in rollout[:3]] == [2, 1, 0]


@pytest.mark.parametrize(
    ("stale", "seen"), [(False, [1, 0, 11, 10, 9, 8]), (True, [1, 0, -1, 10, 9, 8])]
)
def test_a_stale_agent_acts_once_on_the_observation_before_the_reset(stale, seen):
    run = reference.experience(
        1,
        lambda state: state,
        lambda time, observation: observation,
        lambda time, state, action: countdown(state, action, time),
        lambda time: 11,
        6,
        stale=stale,
    )
    stored = list(run)
    assert [t.observation for t in stored] == seen
    assert [t.action for t in stored] == seen
    assert [t.next_observation for t in stored] == [0, -1, 10, 9, 8, 7]
    assert [t.terminal for t in stored] == [False, True, False, False, False, False]
    assert [t.state for t in stored] == [1, 0, 11, 10, 9, 8]


def test_an_episodes_return_counts_its_terminal_step_and_is_cut_at_100():
    def score(initial, episodic):
        return reference.evaluation(
            initial,
            lambda episode, time, state: 0,
            lambda episode, time, state, action: countdown(state, action, time),
            episodic=episodic,
        )

    assert score(lambda episode: episode, True) == -sum(range(1, 33)) / 32
    assert score(lambda episode: 1000, True) == -100
    assert score(lambda episode: 1000, False) == -1


def test_a_model_based_update_trains_the_model_before_it_imagines():
    rng = np.random.default_rng(15)
    model = reference.new_learner(simple_networks(rng))
    q = reference.new_learner({"q": network(rng, FEATURES, ACTIONS)})
    batch, imagined = transitions(rng, [False, True]), []

    def rollouts(networks, q_network):
        imagined.append(networks)
        return [samples(rng, 3), samples(rng, 3)]

    after, _, model_loss, _ = reference.model_based_update(
        model,
        q,
        network(rng, FEATURES, ACTIONS),
        lambda n: reference.simple_loss(n, batch, ACTIONS),
        rollouts,
        model_step_size=1e-3,
        q_step_size=1e-3,
    )
    assert imagined == [after.networks]
    assert model_loss == reference.simple_loss(model.networks, batch, ACTIONS).item()
    assert reference.simple_loss(after.networks, batch, ACTIONS).item() < model_loss
