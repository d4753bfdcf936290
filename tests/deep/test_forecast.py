"""What models forecast of a step: against their own draws, and against networks set by hand."""

from functools import cache

import pytest
import torch

from deep import AGENTS, Agent, Forecast
from deep.environments import PanFlute
from deep.models import LatentModel
from deep.random_streams import Purpose, Stream, lane_words

FLUTE = PanFlute(3)
SEED = torch.tensor([3, -4])
DRAWS = 4_000
every_learned_model = pytest.mark.parametrize("name", ["simple", "categorical", "gaussian"])


@cache
def model_of(name, **options):
    """A model whose networks are far from silent, and two observations with an action each."""
    model = AGENTS[name](FLUTE, **options)
    scale = 1.5 if name == "gaussian" else 2
    parameters = tuple(scale * each for each in Agent(model).initial(SEED).model)
    observation = torch.tensor([[[0] * 6, [1, 0, 1, 1, 0, 1]]] * 2, dtype=torch.uint8)
    return model, parameters, observation, torch.tensor([[0, 2], [1, 2]])


def stream(step):
    return Stream(SEED, torch.tensor(step), Purpose.FORECAST)


def drawn_steps(model, parameters, observation, action):
    """Means over many steps that the model draws, with words of their own."""
    many = observation.repeat_interleave(DRAWS, 1), action.repeat_interleave(DRAWS, 1)
    size = many[1].shape[1]
    words = lane_words(Stream(SEED, torch.tensor(9), 200), model.represent_words, size)
    learned = model.perceptrons(parameters)
    state = model.start(learned, many[0], words)
    words = lane_words(Stream(SEED, torch.tensor(9), 201), model.step_words, size)
    following, known = model.step(learned, state, many[1], words)
    outcomes = model.outcomes(learned, model.features(state), many[1], [known])
    if isinstance(model, LatentModel):
        following = model.decode(parameters, following)
    features = following.unflatten(1, (-1, DRAWS))
    return (
        *(each.unflatten(1, (-1, DRAWS)).mean(2) for each in outcomes),
        features.mean(2),
        features.prod(3).mean(2),
    )


@every_learned_model
def test_a_forecast_is_the_mean_of_the_steps_that_the_model_draws(name):
    model, parameters, observation, action = model_of(name)
    forecast = model.forecast(parameters, observation, action, stream(0), DRAWS)
    reward, continuation, features, all_of_them = drawn_steps(
        model, parameters, observation, action
    )
    assert forecast.features.shape == (1 if name == "simple" else DRAWS, 2, 2, 6)
    # Means of 4,000 numbers that mostly deviate by less than 1/2: 0.05 is more than four deviations.
    assert (forecast.reward - reward).abs().max() < 0.05
    assert (forecast.continuation - continuation).abs().max() < 0.05
    assert (forecast.features.mean(0) - features).abs().max() < 0.05
    assert (forecast.probability_of_all(range(6)) - all_of_them).abs().max() < 0.05
    # And it says something: it depends on the lane, and on the observation and the action.
    spread = forecast.features.mean(0).flatten(0, 1)
    assert torch.pdist(spread).min() > 0.05


@pytest.mark.parametrize("name", ["categorical", "gaussian"])
def test_given_a_latent_a_forecast_is_what_is_decoded(name):
    model, parameters, observation, action = model_of(name)
    forecast = model.forecast(parameters, observation, action, stream(0), 5)
    words = lane_words(stream(0), 64, 10)
    latent = model.represent(parameters, observation.repeat(1, 5, 1), words[:32])
    learned = model.perceptrons(parameters)
    following, _ = model.step(learned, latent, action.repeat(1, 5), words[32:])
    decoded = model.decode(parameters, following)
    assert decoded.min() > 0
    assert decoded.max() < 1
    for draw in range(5):
        torch.testing.assert_close(forecast.features[draw], decoded[:, 2 * draw : 2 * draw + 2])


def test_decoding_is_what_the_loss_of_the_decoder_is_about():
    # With a decoder that puts out its biases alone, a latent does not matter.
    model, parameters, _, _ = model_of("gaussian")
    encoder, dynamics, outcome, decoder = parameters
    silent = torch.zeros_like(decoder)
    model.networks[3].perceptrons(silent)[0].biases[-1].copy_(torch.arange(-2, 4.0))
    decoded = model.decode((encoder, dynamics, outcome, silent), torch.randn(2, 7, 32))
    assert torch.equal(decoded, torch.arange(-2, 4.0).sigmoid().expand(2, 7, -1))


def test_a_simple_model_with_clipped_logits_forecasts_what_it_imagines():
    model, parameters, observation, action = model_of("simple", clipped_logit_sampling=True)
    forecast = model.forecast(parameters, observation, action, stream(0), 1)
    *_, features, _ = drawn_steps(model, parameters, observation, action)
    assert (forecast.features[0] - features).abs().max() < 0.05
    assert (forecast.features == 0).any()


def test_the_probability_of_all_is_the_mean_of_products_not_the_product_of_means():
    features = torch.tensor([[0.9, 0.9, 0.3], [0.1, 0.1, 0.3]]).view(2, 1, 1, 3)
    forecast = Forecast(torch.zeros(1, 1), torch.ones(1, 1), features)
    assert forecast.probability_of_all([0, 1]).item() == pytest.approx(0.41)
    assert forecast.probability_of_all([2]).item() == pytest.approx(0.3)


@every_learned_model
def test_a_forecast_by_no_draw_is_refused(name):
    model, parameters, observation, action = model_of(name)
    with pytest.raises(ValueError, match="draws must be an integer of at least 1, got 0"):
        model.forecast(parameters, observation, action, stream(0), 0)
