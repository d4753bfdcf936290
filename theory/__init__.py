"""Theorem 1 checked exactly: what evidence leaves open to a model, and to the Bellman equation alone.

At every state and action a model chooses an option: a reward, and a law over successors. A class M of models has
optimal action values H_Q. Evidence E allows some options; it leaves H_M(E), the optimal values of the models that it
allows, and H_B(E), those that satisfy the Bellman equation with allowed options. In the paper's theorem models are
deterministic and rewards known: an option is a successor, and a dataset of transitions is evidence. That case has
faster methods. All of it is exact, in integers and fractions, over whole classes.
"""

from typing import TYPE_CHECKING, Any

from theory.certificates.block_decision import strongest_proof, witness_or_proof
from theory.certificates.block_decision_witness import find_block_decision_witness
from theory.certificates.block_witness import find_block_witness
from theory.certificates.certificate import (
    block_certificate_text,
    certificate_text,
    certify,
    certify_blocks,
    certify_equality,
    certify_evidence,
    evidence_certificate_text,
)
from theory.certificates.equality_proof import EqualityProof, prove_equality
from theory.certificates.evidence_witness import (
    EvidenceWitness,
    find_evidence_witness,
    witness_in,
)
from theory.certificates.smallest_class import search_classes
from theory.certificates.witness import Witness, find_decision_witness, find_witness
from theory.classes.class_file import load_class, parse_class
from theory.classes.data_file import (
    load_dataset,
    load_evidence,
    load_reward_family,
    load_rewards,
    load_samples,
    load_value_functions,
)
from theory.classes.factored import factored
from theory.classes.gallery import GALLERY, GalleryEntry, gallery_class, named_rewards
from theory.classes.mdp_class import MDPClass, cost_rewards, exact, mdp_class, sparse_rewards
from theory.classes.options import (
    Option,
    OptionClass,
    option,
    option_blocks,
    option_class,
    stochastic_factors,
)
from theory.classes.transition_class import TransitionClass, explicit, tabular
from theory.criteria.all_truths import AllTruths, over_all_truths
from theory.criteria.data_report import (
    DatasetReport,
    EvidenceReport,
    check_dataset,
    check_evidence,
)
from theory.criteria.evidence import checked_evidence
from theory.criteria.exchange import closed_under_equivalence, exchange_failures, exchange_holds
from theory.criteria.fiber_census import Census, ValueFibers, census, value_fibers
from theory.criteria.identifiability import Identifiability, identify
from theory.criteria.proof import ProofReport, ProofUnavailableError, prove
from theory.criteria.sample_curves import SampleCurves, sample_curves
from theory.criteria.samples import Allowance, evidence_of_samples
from theory.criteria.several_rewards import (
    SeveralRewards,
    gap_by_rewards,
    goal_rewards,
    random_rewards,
)
from theory.criteria.theorem import SeveralSolutionsError, TheoremReport, check_class
from theory.criteria.value_equivalence import equivalent_steps, value_equivalent
from theory.criteria.version_spaces import (
    DatasetSweep,
    VersionSpace,
    evidence_space,
    sweep_datasets,
    version_space,
)
from theory.formats.arrays import model_arrays
from theory.formats.dot import dot_text
from theory.formats.drn import drn_text, parse_drn
from theory.formats.explicit_model import class_from_models, explicit_model
from theory.formats.gymnasium_table import from_gymnasium
from theory.formats.prism import prism_files, read_prism
from theory.solving.deterministic import ClassTooLargeError
from theory.solving.joint_class import JointClass, jointly
from theory.solving.policy_iteration import optimal_q
from theory.solving.solve import solve
from theory.solving.solved_class import SolvedClass

if TYPE_CHECKING:
    from theory.discount.discount_strata import DiscountStrata, find_strata

__all__ = [
    "GALLERY",
    "AllTruths",
    "Allowance",
    "Census",
    "ClassTooLargeError",
    "DatasetReport",
    "DatasetSweep",
    "DiscountStrata",
    "EqualityProof",
    "EvidenceReport",
    "EvidenceWitness",
    "GalleryEntry",
    "Identifiability",
    "JointClass",
    "MDPClass",
    "Option",
    "OptionClass",
    "ProofReport",
    "ProofUnavailableError",
    "SampleCurves",
    "SeveralRewards",
    "SeveralSolutionsError",
    "SolvedClass",
    "TheoremReport",
    "TransitionClass",
    "ValueFibers",
    "VersionSpace",
    "Witness",
    "block_certificate_text",
    "census",
    "certificate_text",
    "certify",
    "certify_blocks",
    "certify_equality",
    "certify_evidence",
    "check_class",
    "check_dataset",
    "check_evidence",
    "checked_evidence",
    "class_from_models",
    "closed_under_equivalence",
    "cost_rewards",
    "dot_text",
    "drn_text",
    "equivalent_steps",
    "evidence_certificate_text",
    "evidence_of_samples",
    "evidence_space",
    "exact",
    "exchange_failures",
    "exchange_holds",
    "explicit",
    "explicit_model",
    "factored",
    "find_block_decision_witness",
    "find_block_witness",
    "find_decision_witness",
    "find_evidence_witness",
    "find_strata",
    "find_witness",
    "from_gymnasium",
    "gallery_class",
    "gap_by_rewards",
    "goal_rewards",
    "identify",
    "jointly",
    "load_class",
    "load_dataset",
    "load_evidence",
    "load_reward_family",
    "load_rewards",
    "load_samples",
    "load_value_functions",
    "mdp_class",
    "model_arrays",
    "named_rewards",
    "optimal_q",
    "option",
    "option_blocks",
    "option_class",
    "over_all_truths",
    "parse_class",
    "parse_drn",
    "prism_files",
    "prove",
    "prove_equality",
    "random_rewards",
    "read_prism",
    "sample_curves",
    "search_classes",
    "solve",
    "sparse_rewards",
    "stochastic_factors",
    "strongest_proof",
    "sweep_datasets",
    "tabular",
    "value_equivalent",
    "value_fibers",
    "version_space",
    "witness_in",
    "witness_or_proof",
]


def __getattr__(name: str) -> Any:
    """The strata of the discount, where they are asked for: sympy takes longer to import than all the rest."""
    if name in ("DiscountStrata", "find_strata"):
        from theory.discount import discount_strata

        return getattr(discount_strata, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
