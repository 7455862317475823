"""Which tags fit together: a linear-chain conditional random field over the scores of each step."""

from __future__ import annotations

from typing import Annotated, Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from recurra.arguments import Rule, checked
from recurra.errors import UsageError
from recurra.nn.ragged import padding_mask

FORBIDDEN = -1e30
"""The score of what may not follow: finite, so that no gradient is NaN, and far below all that a network can make up for."""
Tags = Annotated[int, Rule(lambda number: 1 <= number <= 10_000, "a whole number from 1 to 10,000")]
PAIRS_PER_CHUNK = 1 << 16
"""Probabilities of pairs of tags that are made at a time: as many as a core's cache holds."""


class CRF(nn.Module):
    """Linear-chain conditional random field (Lafferty et al. 2001; with a recurrent network, arXiv:1508.01991v1).

        log p(tags | x) = start[y_1] + Σ_t emissions[t, y_t] + Σ_t transitions[y_t, y_t+1] + end[y_T] − log Z

    `count`: K tags.  `allowed`: (K+2, K+2), true where the tag of the column may follow that of the row; K is the start (as a
    row) and K + 1 the end (as a column); None allows all. `recurra.nn.transitions` makes it from the names of tags.
    emissions: (T, B, K).  tags: (T, B), int64.  lengths: (B), int64 on the CPU. Padding is never read, whatever stands there; a
    row without steps has the one empty sequence, of probability 1. Sums are float32 at least, under autocast too.
    Raises `UsageError` where shapes, tags or lengths do not fit.

    >>> crf, lengths = CRF(2), torch.tensor([3])
    >>> emissions = torch.tensor([[[2.0, 0.0]], [[0.0, 0.5]], [[1.0, 0.0]]])  # T = 3, B = 1
    >>> crf.decode(emissions, lengths)
    [[0, 1, 0]]
    >>> loss = crf.loss(emissions, torch.tensor([[0], [1], [0]]), lengths)
    >>> round(loss.item(), 4), crf.marginals(emissions, lengths).shape
    (0.9143, torch.Size([3, 1, 2]))
    """

    allowed: Tensor

    @checked
    def __init__(self, count: Tags, allowed: Tensor | None = None) -> None:
        super().__init__()
        wanted = (count + 2, count + 2)
        allowed = torch.ones(wanted, dtype=torch.bool) if allowed is None else allowed
        if allowed.shape != wanted or allowed.dtype != torch.bool:
            raise UsageError(f"allowed: expected bool {wanted}, got {allowed.dtype} {tuple(allowed.shape)}")
        self.count = count
        # Saved with the weights: what was allowed in training is allowed wherever they are loaded.
        self.register_buffer("allowed", allowed.clone())
        self.transitions = nn.Parameter(torch.zeros(count, count))
        self.start, self.end = nn.Parameter(torch.zeros(count)), nn.Parameter(torch.zeros(count))

    @checked
    def loss(self, emissions: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """Give Σ −log p of the tags over all rows, differentiable once.

        Raises `UsageError` for tags of which one may not follow another: `recurra.nn.widen` allows what data holds.
        """
        padding = self._check(emissions, lengths)
        if tags.shape != emissions.shape[:2] or tags.dtype != torch.int64:
            raise UsageError(f"tags: expected int64 {tuple(emissions.shape[:2])}, got {tags.dtype} {tuple(tags.shape)}")
        tags = tags.masked_fill(padding, 0)
        wrong = ((tags < 0) | (tags >= self.count)).nonzero()
        if len(wrong):
            step, row = wrong[0].tolist()
            raise UsageError(
                f"tags: expected 0 to {self.count - 1}, got {int(tags[step, row])} at step {step}, row {row}"
            )
        self._check_order(tags, padding, lengths)
        with torch.autocast(emissions.device.type, enabled=False):
            given = self._read(emissions, padding)
            log_z = cast(Tensor, _LogPartition.apply(lengths, *given))
            return log_z.sum() - _score(tags, padding, lengths, *given)

    @checked
    @torch.no_grad()
    def decode(self, emissions: Tensor, lengths: Tensor) -> list[list[int]]:
        """Give the most probable tags of each row (Viterbi 1967).

        Of equals it takes the lower last tag, then the lower one before it, … Where no sequence at all is allowed it takes
        the one that breaks the order least.
        """
        padding = self._check(emissions, lengths)
        if padding.numel() == 0:
            return [[] for _ in lengths]
        scores, start, matrix, end = self._read(emissions, padding)
        best, back = start + scores[0], [torch.zeros_like(scores[0], dtype=torch.int64)]
        finals = best + end
        for step in range(1, len(scores)):
            best, came = (best.unsqueeze(2) + matrix).max(1)  # (B, from, to)
            best = best + scores[step]
            back.append(came)
            finals = torch.where(padding[step].unsqueeze(1), finals, best + end)
        tag = finals.argmax(1)
        found = [tag]
        for step in range(len(scores) - 1, 0, -1):
            before = back[step].gather(1, tag.unsqueeze(1)).squeeze(1)
            tag = torch.where(
                padding[step], tag, before
            )  # a shorter row waits with its last tag until its end is reached
            found.append(tag)
        rows = torch.stack(found[::-1], 1).tolist()
        return [row[:length] for row, length in zip(rows, lengths.tolist(), strict=True)]

    @checked
    @torch.no_grad()
    def marginals(self, emissions: Tensor, lengths: Tensor, temperature: float = 1.0) -> Tensor:
        """Give p(y_t = k | x), all other tags summed out: (T, B, K), zeros in the padding. `temperature` divides all scores.

        On the CPU they are the same bit for bit whatever else is in the batch, as exact mode promises; so are decoded tags.
        """
        padding = self._check(emissions, lengths)
        with torch.autocast(emissions.device.type, enabled=False):
            scores, start, matrix, end = (part / temperature for part in self._read(emissions, padding))
            alphas, log_z = _forward(scores, start, matrix, end, lengths, in_order=True)
            return _backward(alphas, matrix, end, lengths, torch.ones_like(log_z), in_order=True)[0]

    def initial_state(self, batch: int) -> tuple[Tensor, Tensor, Tensor]:
        """Give what `step` carries before the first step of B rows: the best score of each tag, the log of all that leads to
        it, (B, K) each, and how many steps were taken, (B, 1)."""
        zeros = self.start.new_zeros(batch, self.count)
        return zeros, zeros.clone(), zeros.new_zeros(batch, 1, dtype=torch.int64)

    @torch.no_grad()
    def step(
        self, emissions: Tensor, carried: tuple[Tensor, ...], temperature: float = 1.0
    ) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Take one step more, emissions (B, K); gives the tag it has in the best sequence so far, (B), and p(y_t = k | x_1 … x_t).

        They are what `decode` and `marginals` give for the last of the steps so far, bit for bit; what is carried is of constant
        size, so earlier tags are not changed by later steps.

        >>> crf, x = CRF(2), torch.tensor([[[2.0, 0.0]], [[0.0, 0.5]]])
        >>> _, _, carried = crf.step(x[0], crf.initial_state(1))
        >>> tag, share, _ = crf.step(x[1], carried)
        >>> tag.tolist() == [crf.decode(x, torch.tensor([2]))[0][-1]], torch.equal(share, crf.marginals(x, torch.tensor([2]))[-1])
        (True, True)
        """
        best, alpha, steps_taken = carried
        first = steps_taken == 0
        with torch.autocast(emissions.device.type, enabled=False):
            scores, start, matrix, end = self._read(
                emissions.unsqueeze(0), torch.zeros(1, len(emissions), dtype=torch.bool)
            )
            best = torch.where(first, start, (best.unsqueeze(2) + matrix).amax(1)) + scores[0]
            tag = (best + end).argmax(1)
            scores, start, matrix, end = (part / temperature for part in (scores, start, matrix, end))
            alpha = torch.where(first, start, _logsumexp(alpha.unsqueeze(2) + matrix, 1, True)) + scores[0]
            return tag, _softmax(alpha + end, 1, True), (best, alpha, steps_taken + 1)

    def _check(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Check what every method takes; gives the padding (T, B)."""
        if emissions.dim() != 3 or emissions.shape[2] != self.count or not emissions.is_floating_point():
            got = f"{emissions.dtype} {tuple(emissions.shape)}"
            raise UsageError(f"emissions: expected floating (T, B, {self.count}), got {got}")
        return padding_mask(lengths, emissions[:, :, 0])

    def _check_order(self, tags: Tensor, padding: Tensor, lengths: Tensor) -> None:
        if not len(tags):
            return
        steps = self.allowed[torch.cat([torch.full_like(tags[:1], self.count), tags[:-1]]), tags] | padding
        wrong = (~steps).nonzero()
        if len(wrong):
            step, row = wrong[0].tolist()
            where = f"tag {int(tags[step - 1, row])} before" if step else "the start before"
            raise UsageError(
                f"tags: {where} tag {int(tags[step, row])} is not allowed, got it at step {step}, row {row}; "
                "allow it with recurra.nn.widen, or mend the data"
            )
        last, there = _last(tags, lengths)
        wrong = (~(self.allowed[last, self.count + 1]) & there).nonzero()
        if len(wrong):
            row = int(wrong[0])
            raise UsageError(
                f"tags: tag {int(last[row])} may not be the last, got it at the end of row {row}; "
                "allow it with recurra.nn.widen, or mend the data"
            )

    def _read(self, emissions: Tensor, padding: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Give emissions without what stands in the padding, and the scores of start, transitions and end, forbidden or not."""
        count = self.count
        wide = emissions if emissions.dtype == torch.float64 else emissions.float()
        return (
            wide.masked_fill(padding.unsqueeze(2), 0),
            self.start.masked_fill(~self.allowed[count, :count], FORBIDDEN),
            self.transitions.masked_fill(~self.allowed[:count, :count], FORBIDDEN),
            self.end.masked_fill(~self.allowed[:count, count + 1], FORBIDDEN),
        )


def _last(values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Give the value of each row's last step: (T, B, ...) → (B, ...), and whether there is one, (B). T > 0."""
    lengths = lengths.to(values.device)
    return values[(lengths - 1).clamp(min=0), torch.arange(len(lengths), device=values.device)], lengths > 0


def _score(
    tags: Tensor, padding: Tensor, lengths: Tensor, emissions: Tensor, start: Tensor, matrix: Tensor, end: Tensor
) -> Tensor:
    """Σ of the scores of all rows' tags."""
    if not len(tags):
        return emissions.sum()
    last, there = _last(tags, lengths)
    own = emissions.gather(2, tags.unsqueeze(2)).squeeze(2).masked_fill(padding, 0).sum()
    steps = matrix[tags[:-1], tags[1:]].masked_fill(padding[1:], 0).sum()
    return own + steps + (start[tags[0]] + end[last]).masked_fill(~there, 0).sum()


class _LogPartition(torch.autograd.Function):
    """log Z of each row, (B). Its derivatives are the marginals, which cost less than torch's graph over all steps."""

    @staticmethod
    def forward(ctx: Any, lengths: Tensor, emissions: Tensor, start: Tensor, matrix: Tensor, end: Tensor) -> Tensor:
        alphas, log_z = _forward(emissions, start, matrix, end, lengths)
        ctx.save_for_backward(lengths, alphas, matrix, end)
        return log_z

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> tuple[Tensor | None, ...]:
        return _derivatives(ctx, *grad_outputs)


@once_differentiable
def _derivatives(ctx: Any, d: Tensor) -> tuple[Tensor | None, ...]:
    lengths, alphas, matrix, end = ctx.saved_tensors
    marginals, pairs = _backward(alphas, matrix, end, lengths, d)
    if not len(marginals):
        return None, marginals, torch.zeros_like(end), pairs, torch.zeros_like(end)
    last, there = _last(marginals, lengths)
    return None, marginals, marginals[0].sum(0), pairs, (last * there.unsqueeze(1)).sum(0)


def _forward(
    emissions: Tensor, start: Tensor, matrix: Tensor, end: Tensor, lengths: Tensor, *, in_order: bool = False
) -> tuple[Tensor, Tensor]:
    """Give α (T, B, K), the log of all that leads to a tag, and log Z (B). Past a row's end α has no meaning."""
    if not emissions.numel():
        return torch.empty_like(emissions), emissions.new_zeros(emissions.shape[1])
    first, *others = emissions.unbind(0)
    alpha = start + first
    found = [alpha]
    for scores in others:
        alpha = _logsumexp(alpha.unsqueeze(2) + matrix, 1, in_order) + scores
        found.append(alpha)
    alphas = torch.stack(found)
    last, there = _last(alphas, lengths)
    return alphas, _logsumexp(last + end, 1, in_order).masked_fill(~there, 0)


def _backward(
    alphas: Tensor, matrix: Tensor, end: Tensor, lengths: Tensor, weights: Tensor, *, in_order: bool = False
) -> tuple[Tensor, Tensor]:
    """Give the marginals (T, B, K) and how often each transition is expected, Σ over rows (K, K); each row times `weights` (B).

    A tag's probability given the next one, softmax of α + transitions, does not depend on what comes after that; so the
    marginals go back from the last step by products of probabilities, which no size of the scores can make overflow.
    """
    marginals, pairs = torch.zeros_like(alphas), torch.zeros_like(matrix)
    if not alphas.numel():
        return marginals, pairs
    last, there = _last(alphas, lengths)
    final = _softmax(last + end, 1, in_order) * (weights * there).unsqueeze(1)
    is_last = torch.arange(len(alphas)).unsqueeze(1) == lengths - 1
    marginals += final * is_last.to(alphas.device).unsqueeze(2)
    steps = [step.unsqueeze(2) for step in marginals.unbind(0)]  # (B, K, 1) each, written in place
    together = max(1, PAIRS_PER_CHUNK // (alphas.shape[1] * matrix.numel()))
    for stop in range(len(alphas) - 1, 0, -together):
        start_step = max(0, stop - together)
        given_next = _softmax(alphas[start_step:stop].unsqueeze(3) + matrix, 2, in_order)  # (n, B, from, to)
        for step in range(stop - 1, start_step - 1, -1):
            given, after = given_next[step - start_step], steps[step + 1]
            if in_order:
                steps[step] += _total(given * after.transpose(1, 2), 2)
            else:
                steps[step].baddbmm_(given, after)
        pairs += given_next.mul_(marginals[start_step + 1 : stop + 1].unsqueeze(2)).sum((0, 1))
    return marginals, pairs


def _logsumexp(x: Tensor, dim: int, in_order: bool) -> Tensor:
    if not in_order:
        return torch.logsumexp(x, dim)
    top = x.amax(dim, keepdim=True)
    return (_total((x - top).exp(), dim).log() + top).squeeze(dim)


def _softmax(x: Tensor, dim: int, in_order: bool) -> Tensor:
    if not in_order:
        return torch.softmax(x, dim)
    shares = (x - x.amax(dim, keepdim=True)).exp()
    return shares / _total(shares, dim)


def _total(x: Tensor, dim: int) -> Tensor:
    """Σ over a dimension, which stays, one after another: torch's own sums take an order that depends on the batch's size."""
    return x.cumsum(dim).narrow(dim, -1, 1).contiguous()
