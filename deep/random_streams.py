"""Random streams: the same bits on every device, and for a lane whoever runs beside it.

A counter-based generator (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
1, 2, 3", SC 2011) has no state to carry along: it is a bijection of counters, scrambled by a key.
Here it is Threefry-2x32 with 20 rounds, which needs nothing but 32-bit additions, rotations and
exclusive ors, exact on every device. The key is a lane's own seed. The counter is (step, purpose,
block), so that random words are a pure function of

    (seed of the lane, step, purpose, index of the word),

and any number of steps can be drawn at once, in any order. Two's complement `int32` stands for
unsigned words throughout.
"""

from fractions import Fraction
from math import pi, prod
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float32, Int, Int32, Int64
from torch import Tensor

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_KEY_PARITY = 0x1BD11BDA
_WORD = 2**32
_BLOCKS = 2**24

MAX_WORDS = 2 * _BLOCKS
"""That a pair of a seed and a step has for one purpose."""


class Purpose:
    """What words are drawn for; words of different purposes are independent. At most 256.

    Plain numbers, not an `IntEnum`, whose comparisons some versions of torch cannot compile.
    """

    ENVIRONMENT = 0
    RESET = 1
    ACTION = 2
    REPRESENTATION = 3
    INITIAL_Q = 4
    INITIAL_MODEL = 5
    REPLAY = 6
    MODEL_LOSS = 7
    ROLLOUT_START = 8
    ROLLOUT = 9
    EVALUATION_RESET = 10
    EVALUATION = 11
    EVALUATION_REPRESENTATION = 12
    FORECAST = 13
    RECALL = 14
    RECOMBINATION = 15
    MODEL_QUALITY = 16
    IMAGINED_COURSE = 17


class Stream(NamedTuple):
    """What random words are a function of, but for their index.

    Attributes:
        seed: One for each lane; any 64-bit integer.
        step: Which draw of the lane it is, 0 to 2^32 - 1; broadcast against `seed`.
        purpose: What the words are drawn for, 0 to 255 (see `Purpose`).
    """

    seed: Int64[Tensor, "..."]
    step: Int[Tensor, "..."]
    purpose: int


def words(stream: Stream, count: int) -> Int32[Tensor, "word ..."]:
    """Draw `count` random words for every pair of a seed and a step.

    Args:
        stream: Seeds and steps of any shapes. With seeds `[lane]` and steps `[time, 1]`, all words
            of all those steps come out at once.
        count: Words for each. The first words are the same for every count.

    Returns:
        Words on the seeds' device, of shape (count, *broadcast shape).

    Raises:
        ValueError: The purpose or `count` is out of range.
    """
    seed, step, purpose = stream
    if not 0 <= purpose < 256:
        raise ValueError(f"purpose must be 0 to 255, got {purpose}")
    if not 0 <= count <= MAX_WORDS:
        raise ValueError(f"count must be 0 to {MAX_WORDS}, got {count}")
    lanes = max(seed.dim(), step.dim())
    blocks = torch.arange((count + 1) // 2, device=seed.device).view(-1, *[1] * lanes)
    first, second = threefry(
        key=(_low_word(seed), _low_word(seed >> 32)),
        counter=(_low_word(step), _low_word(blocks + purpose * _BLOCKS)),
    )
    return torch.stack((first, second), dim=1).flatten(0, 1)[:count]


def lane_words(stream: Stream, count: int, *shape: int) -> Int32[Tensor, "word lane ..."]:
    """Draw `count` words for each entry of a batch of the given shape in every lane.

    What a lane draws does not depend on which lanes run beside it.

    Args:
        stream: Seeds `[lane]` and one step for all of them.
        count: Words for each entry.
        *shape: Of the batch.

    Returns:
        Words of shape (count, lane, *shape).
    """
    drawn = words(stream, count * prod(shape))
    return drawn.view(count, *shape, len(stream.seed)).movedim(-1, 1)


def threefry(
    key: tuple[Int32[Tensor, "..."], Int32[Tensor, "..."]],
    counter: tuple[Int32[Tensor, "..."], Int32[Tensor, "..."]],
) -> tuple[Int32[Tensor, "..."], Int32[Tensor, "..."]]:
    """Scramble counters by keys: Threefry-2x32 with 20 rounds; all shapes are broadcast."""
    schedule = (*key, key[0] ^ key[1] ^ _KEY_PARITY)
    # Broadcast to memory of its own, then in place: the 20 rounds are what a draw costs.
    nothing = (counter[0] ^ counter[1] ^ schedule[2]) & 0
    x = counter[0] + key[0] + nothing
    y = counter[1] + key[1] + nothing
    for group in range(5):
        for turn, rotation in enumerate(_ROTATIONS[group % 2]):
            if turn % 2 == 0 and torch.compiler.is_compiling():
                y = _written_once(y, schedule[2])
            x.add_(y)
            # `>>` drags the sign along, the mask removes it.
            wrapped = (y >> (32 - rotation)).bitwise_and_((1 << rotation) - 1)
            y.bitwise_left_shift_(rotation).bitwise_or_(wrapped).bitwise_xor_(x)
        x.add_(schedule[(group + 1) % 3])
        y.add_(schedule[(group + 2) % 3] + (group + 1))
    return x, y


def _written_once(number: Int32[Tensor, "..."], key: Int32[Tensor, "..."]) -> Int32[Tensor, "..."]:
    """The number itself, but the compiler writes the code of what it follows from once.

    It traces what is used twice twice, and each round of Threefry uses the one before three times. What is viewed by
    strides is computed first; within one loop it need not be stored for that, and it is one loop with all else if it
    too reads the key.
    """
    whole = number + (key & 0)
    return whole.as_strided(whole.shape, whole.stride()).clone()


def heads(probability: Fraction) -> int:
    """How many of the 2^32 words show heads, for `coin`; rounded down, so that 0 and 1 are exact."""
    return int(probability * _WORD)


def coin(drawn: Int32[Tensor, "*shape"], heads: int) -> Bool[Tensor, "*shape"]:
    """True for so many of the 2^32 words."""
    if heads == 0:
        return torch.zeros_like(drawn, dtype=torch.bool)
    return drawn <= heads - 1 - _WORD // 2


def integers(
    drawn: Int32[Tensor, "*shape"], below: int | Int[Tensor, "*#shape"]
) -> Int64[Tensor, "*shape"]:
    """Uniform integers 0 to below - 1, for `below` up to 2^31.

    The word is read as a fraction of 2^32 and scaled. No integer's probability differs from
    1/below by more than 2^-32.
    """
    return ((drawn.long() & (_WORD - 1)) * below) >> 32


def uniform(drawn: Int32[Tensor, "*shape"]) -> Float32[Tensor, "*shape"]:
    """Uniform in [0, 1): multiples of 2^-24, the same on every device."""
    return ((drawn >> 8) & 0xFFFFFF).float() * 2.0**-24


def categorical(
    logits: Float32[Tensor, "*shape outcome"], drawn: Int32[Tensor, "*shape"]
) -> Int64[Tensor, "*shape"]:
    """A draw from softmax(logits), by one word each: where it falls among the cumulated chances.

    Where logits are not numbers, the draw is the first outcome.
    """
    cumulated = logits.softmax(-1).cumsum(-1)[..., :-1]
    return (uniform(drawn).unsqueeze(-1) >= cumulated).sum(-1)


def normal(drawn: Int32[Tensor, "two_n *shape"]) -> Float32[Tensor, "two_n *shape"]:
    """Standard normal (Box and Muller), from an even number of words along the first axis.

    The words are the same on every device, logarithm, sine and cosine to rounding.

    Raises:
        ValueError: The number of words is odd.
    """
    if len(drawn) % 2:
        raise ValueError(f"normal needs an even number of words, got {len(drawn)}")
    first, second = drawn.chunk(2)
    radius = torch.sqrt(-2 * torch.log(_open_uniform(first)))
    angle = 2 * pi * uniform(second)
    return torch.cat((radius * torch.cos(angle), radius * torch.sin(angle)))


def _open_uniform(drawn: Int32[Tensor, "*shape"]) -> Float32[Tensor, "*shape"]:
    """Uniform in (0, 1), symmetric about 1/2: odd multiples of 2^-24."""
    return (((drawn >> 9) & 0x7FFFFF).float() + 0.5) * 2.0**-23


def _low_word(number: Int[Tensor, "*shape"]) -> Int32[Tensor, "*shape"]:
    """The low 32 bits, by arithmetic that never leaves the range of the types."""
    low = number.long() & (_WORD - 1)
    return (low - ((low >> 31) << 32)).int()
