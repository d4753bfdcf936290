"""Kernels in C++ for processors with AVX512-BF16: whole perceptrons, one lane after the other in the cache.

They do what `deep.networks` and `deep.q_learning` define in torch, for precision "bf16": factors of products are
rounded to bfloat16, and sums are float32. Unlike torch they do not round the products too; the slope of an ELU they
take from the activation as it was rounded.
"""

from deep.kernels.building import available, require
from deep.kernels.operators import PackedPerceptron

__all__ = ["PackedPerceptron", "available", "require"]
