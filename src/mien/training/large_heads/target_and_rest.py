"""Each sample's logit of its own class, and the log-sum-exp of its logits of all others, chunk by chunk of classes."""

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mien.training.large_heads.chunks import Chunk, chunks
from mien.training.large_heads.products import product

CACHED = 2**21
"""Values of a chunk, 8 MB of float32: what the passes over it find in a processor's cache. Smaller chunks are a little
faster on idle cores, and much slower where the threads of each pass have to wait for a core."""
ON_DEVICE = 2**25
"""Values of a chunk on an accelerator, which is idle with fewer."""


class TargetAndRest(NamedTuple):
    """What cross-entropy needs of the logits z: −log(e^t / (e^t + Σ e^z)) = log(1 + e^(rest − t)).

    Attributes:
        target: (N,) t, the logit of each sample's own class; 0 where it has none.
        rest: (N,) log Σ e^z over the other classes; −∞ where there are none.
    """

    target: Tensor
    rest: Tensor


def target_and_rest(
    queries: Tensor,
    weight: Tensor,
    labels: Tensor,
    *,
    rows: Tensor | None = None,
    dtype: torch.dtype | None = None,
    chunk: int | None = None,
) -> TargetAndRest:
    """The logits qᵢ·w_j/‖w_j‖ of N samples and C classes, summed up without N × C of them at any time.

    A margin changes the target's logit alone, so these two vectors are all that it needs, and what it does with them is
    ordinary autograd on N values.

    The forward goes over chunks of classes with a running maximum, and leaves the exponentials where the gradient of
    `weight` will be; the backward turns each chunk of them into that gradient in place. So a step takes C × D values
    beside the weights themselves, and computes each logit once. Where N > D, the C × D values hold the exponentials of
    D samples, and those of the others are computed again.

    Args:
        queries: (N, D) floating: for a cosine softmax, unit embeddings times the scale.
        weight: (C, D) floating, of any length; a zero row's logits are 0.
        labels: (N,) int64, the class of each sample; −1 for one whose class is not here.
        rows: (S,) int64, increasing: only these rows of `weight` are classes, and labels count them. The gradient of
            `weight` is then a sparse tensor of these rows.
        dtype: What the matrix products are computed in; None for the queries' own. bfloat16 is faster where the
            processor has it, and leaves the other classes' logits right to 0.4 % of themselves.
        chunk: Classes at a time, at least 1; None for what the cache holds.

    Returns:
        Both in float32, or float64 for float64. The gradient reaches `queries` and `weight`; there is no second one.
    """
    queries = queries.to(torch.promote_types(queries.dtype, torch.float32))
    size = chunk or max(64, (ON_DEVICE if queries.is_cuda else CACHED) // max(1, *queries.shape))
    wanted = torch.is_grad_enabled() and weight.requires_grad
    target, rest = _TargetAndRest.apply(  # type: ignore[no-untyped-call]
        queries, weight, labels, rows, dtype or queries.dtype, size, wanted
    )
    return TargetAndRest(target, rest)


class _Context(Protocol):
    """What the forward leaves for the backward; `room` is where the gradient of the weights will be."""

    saved_tensors: tuple[Tensor, ...]
    needs_input_grad: tuple[bool, ...]
    rows: Tensor | None
    dtype: torch.dtype
    size: int
    room: Tensor | None

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _TargetAndRest(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: _Context,
        queries: Tensor,
        weight: Tensor,
        labels: Tensor,
        rows: Tensor | None,
        dtype: torch.dtype,
        size: int,
        wanted: bool,
    ) -> tuple[Tensor, Tensor]:
        own = _own(queries, weight, labels, rows)
        target = (queries * own.vectors).sum(1) * own.inverse[:, 0]
        room = _gradient_room(weight, rows) if wanted else None
        doubled = queries / math.log(2)  # 2^z takes a quarter of the time of e^z
        total = torch.zeros_like(target)
        highest = torch.full_like(total, torch.finfo(total.dtype).min / 4)
        highs, inverses = [], []
        for part in chunks(weight, rows, labels, size, queries.dtype):
            place = _place(room, part, len(queries))
            fits = place is not None and place.shape[1] == len(queries)
            powers = product(part.vectors, doubled, dtype, out=place if fits else None)
            inverse = _inverse_lengths(part.vectors)  # not before the product, which has brought them to the cache
            _to_other_logits(powers, part, inverse)
            before, highest = highest, torch.maximum(highest, powers.amax(0))
            powers.sub_(highest).exp2_()
            total.mul_((before - highest).exp2_()).add_(powers.sum(0))
            if place is not None:
                torch.mul(powers[:, : place.shape[1]], inverse, out=place)
            highs.append(highest)
            inverses.append(inverse)
        ctx.save_for_backward(queries, weight, labels, torch.stack(highs), total, torch.cat(inverses), *own, target)
        ctx.rows, ctx.dtype, ctx.size, ctx.room = rows, dtype, size, room
        return target, highest * math.log(2) + total.log()

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, to_target: Tensor, to_rest: Tensor) -> tuple[Tensor | None, ...]:
        queries, weight, labels, highs, total, inverses, *own_parts, target = ctx.saved_tensors
        own = _Own(*own_parts)
        room, ctx.room = ctx.room, None  # given away; a second backward computes the exponentials again
        pull = to_target[:, None] * own.inverse
        to_queries = pull * own.vectors if ctx.needs_input_grad[0] else None
        to_weight = None
        if ctx.needs_input_grad[1]:
            to_weight = _gradient_room(weight, ctx.rows) if room is None else room
        rates = to_rest / total.clamp_min(torch.finfo(total.dtype).tiny)
        scratch = queries.new_empty(min(ctx.size, len(inverses)), queries.shape[1])
        for part in chunks(weight, ctx.rows, labels, ctx.size, queries.dtype, last_first=True):
            inverse = inverses[part.span]
            # The softmax over the other classes is exponentials × rate; the rate moves over to what they are times.
            exponentials = _exponentials(part, inverse, queries, highs[part.number], ctx.dtype, room)
            rate = (rates * (highs[part.number] - highs[-1]).exp2_())[:, None]
            if to_queries is not None:
                to_queries.addcmul_(product(exponentials.T, part.vectors.T, ctx.dtype), rate)
            if to_weight is not None:
                toward = product(exponentials, (queries * rate).T, ctx.dtype, out=scratch[: len(part.vectors)])
                _across(toward, part.vectors, inverse, out=to_weight[part.span])
        if to_weight is not None:
            across = queries - own.vectors * (target[:, None] * own.inverse)
            to_weight.index_add_(0, own.classes, (pull * across).to(to_weight.dtype))
            if ctx.rows is not None:
                to_weight = torch.sparse_coo_tensor(ctx.rows[None], to_weight, weight.shape, check_invariants=False)
        return to_queries, to_weight, None, None, None, None, None


class _Own(NamedTuple):
    """Each sample's own class.

    Attributes:
        vectors: (N, D) its vector, of any length.
        inverse: (N, 1) 1/length; 0 for a sample that has no class here, which so takes no part.
        classes: (N,) which it is; 0 for such a sample.
    """

    vectors: Tensor
    inverse: Tensor
    classes: Tensor


def _own(queries: Tensor, weight: Tensor, labels: Tensor, rows: Tensor | None) -> _Own:
    classes = labels.clamp_min(0)
    vectors = weight[classes if rows is None else rows[classes]].to(queries.dtype)
    return _Own(vectors, _inverse_lengths(vectors) * (labels >= 0)[:, None], classes)


def _inverse_lengths(vectors: Tensor) -> Tensor:
    """(c, 1) 1/length of (c, D) vectors; 1 for a zero vector."""
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    return lengths.where(lengths > 0, 1).reciprocal_()


def _across(toward: Tensor, vectors: Tensor, inverse: Tensor, out: Tensor) -> None:
    """Of a unit vector only what is across it counts: dw = (g − (g·ŵ)ŵ) / ‖w‖, of g / ‖w‖."""
    exact = out.dtype == toward.dtype
    along = torch.mul(toward, vectors, out=out if exact else None).sum(1, keepdim=True) * inverse.square()
    torch.addcmul(toward, vectors, along, value=-1, out=out)


def _gradient_room(weight: Tensor, rows: Tensor | None) -> Tensor:
    return weight.new_empty(len(weight) if rows is None else len(rows), weight.shape[1])


def _place(room: Tensor | None, part: Chunk, count: int) -> Tensor | None:
    """Where a chunk's gradient will be, as a matrix of its (c, at most N) exponentials; None where none can be kept."""
    if room is None or room.dtype != part.vectors.dtype:
        return None
    classes, width = len(part.vectors), room.shape[1]
    kept = min(count, width)
    return room[part.span].view(-1)[: classes * kept].view(classes, kept)


def _to_other_logits(products: Tensor, part: Chunk, inverse: Tensor, first: int = 0) -> Tensor:
    """(c, N − first) products with the samples from `first` on to logits, in place; −∞ for each one's own class."""
    products.mul_(inverse)
    later = part.members >= first
    products[part.positions[later], part.members[later] - first] = -torch.inf
    return products


def _exponentials(
    part: Chunk, inverse: Tensor, queries: Tensor, highest: Tensor, dtype: torch.dtype, room: Tensor | None
) -> Tensor:
    """(c, N) 2^(logit − highest) / ‖w‖ as the forward had them: what it kept, and again what it had no room for."""
    kept = _place(room, part, len(queries))
    first = 0 if kept is None else kept.shape[1]
    if kept is not None and first == len(queries):
        return kept
    again = product(part.vectors, queries[first:] / math.log(2), dtype)
    _to_other_logits(again, part, inverse, first).sub_(highest[first:]).exp2_().mul_(inverse)
    return again if kept is None else torch.cat((kept, again), dim=1)
