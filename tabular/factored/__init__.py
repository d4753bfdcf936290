"""States made of factors: what each of them depends on, and models that are learned by counting.

`enumeration` goes through the states, `scopes` and `context_tree` find what an output depends on, `space` numbers
all combinations of the variables' values, and `counted_model` learns from transitions in these terms.
"""

from tabular.factored.context_tree import exact_contexts, learned_contexts
from tabular.factored.counted_model import (
    CountedModel,
    Experience,
    ModelStructure,
    Prediction,
    declared_structure,
    exact_structure,
    learned_structure,
    structure_of_parents,
    table_structure,
)
from tabular.factored.enumeration import Enumeration, enumerate_factors
from tabular.factored.scopes import (
    FactoredStructure,
    Scope,
    context_scopes,
    dynamic_bayesian_network,
    factored_structure,
)
from tabular.factored.smallest_scopes import smallest_scopes
from tabular.factored.space import FactoredSpace

__all__ = [
    "CountedModel",
    "Enumeration",
    "Experience",
    "FactoredSpace",
    "FactoredStructure",
    "ModelStructure",
    "Prediction",
    "Scope",
    "context_scopes",
    "declared_structure",
    "dynamic_bayesian_network",
    "enumerate_factors",
    "exact_contexts",
    "exact_structure",
    "factored_structure",
    "learned_contexts",
    "learned_structure",
    "smallest_scopes",
    "structure_of_parents",
    "table_structure",
]
