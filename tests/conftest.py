"""Every test runs with jaxtyping's import hook on: beartype checks each shape and dtype annotation."""

import os

import pytest
from hypothesis import settings
from jaxtyping import config, install_import_hook

# One thread for each of the processes that the tests run in, and for those that they start. Numba's number is
# OpenMP's too once a parallel kernel has run, so that torch would go on with as many.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["NUMBA_NUM_THREADS"] = "1"
pytest.register_assert_rewrite("tests.deep.plain_lane")
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
install_import_hook(["theory", "tabular", "deep"], "beartype.beartype")


@pytest.fixture
def without_type_checks():
    """For long runs, half of whose time the checks would take: shorter tests call the same functions with them."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.fixture
def own_environments():
    """What a test registers with Gymnasium is gone after it: two documents may call theirs by one name.

    Packages have a namespace, register once, when they are imported, and stay.
    """
    registry = pytest.importorskip("gymnasium").registry
    before = set(registry)
    yield
    for name in set(registry) - before:
        if "/" not in name:
            del registry[name]


@pytest.fixture(scope="session")
def kernels():
    """Builds the kernels where they are first needed, not while tests are collected; skips where there are none."""
    pytest.importorskip("torch")
    from deep.kernels import available, building

    if not available():
        pytest.skip(f"needs {building.missing()}")


@pytest.fixture
def small_networks(monkeypatch):
    """For tests that look at everything but what is learned: layers of 16 units, 4 latent variables of 4 classes."""
    pytest.importorskip("torch")
    import deep.models.latent
    from deep.networks import Network

    _, *rest = Network.__new__.__defaults__
    monkeypatch.setattr(Network.__new__, "__defaults__", (16, *rest))
    monkeypatch.setattr(deep.models.latent, "VARIABLES", 4)
    monkeypatch.setattr(deep.models.latent, "CLASSES", 4)
