"""A transformer of one block that learns to write like Shakespeare's sonnets, letter by letter.

Attention, layer normalization and the network after them are written out on matrices whose rows are the places of a
window of text, with the sizes in the types: letters, width, keys, places. The text, eighteen sonnets, comes with this
file; the last two are not learned from, and say how well others are predicted. The picture is out/transformer.png.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Generic

import attrs
import numpy as np
from matplotlib.figure import Figure
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record, optim

TEXT = Path(__file__).parent / "text" / "sonnets.txt"


# %% Sizes
class Letters(Dim): ...


class Places(Dim): ...


class Width(Dim): ...


class Keys(Dim): ...


class Hidden(Dim): ...


class Text(Dim): ...


V = TypeVar("V", bound=Dim)
T = TypeVar("T", bound=Dim)
W = TypeVar("W", bound=Dim)
K = TypeVar("K", bound=Dim)
H = TypeVar("H", bound=Dim)


# %% The model
@attrs.frozen
class Head(Record, Generic[W, K]):
    """One head of attention."""

    query: BVar[L[W, K]]
    key: BVar[L[W, K]]
    value: BVar[L[W, K]]
    output: BVar[L[K, W]]


@attrs.frozen
class Transformer(Record, Generic[V, T, W, K, H]):
    letters: BVar[L[V, W]]
    places: BVar[L[T, W]]
    heads: tuple[Head[W, K], ...]
    weight1: BVar[L[W, H]]
    bias1: BVar[R[H]]
    weight2: BVar[L[H, W]]
    bias2: BVar[R[W]]
    scores: BVar[L[W, V]]


def normalized(x: BVar[L[T, W]]) -> BVar[L[T, W]]:
    """Each row with mean 0 and variance 1."""
    centred = x - x.mean(axis=1, keepdims=True)
    return centred / tp.sqrt((centred * centred).mean(axis=1, keepdims=True) + 1e-5)


def attend(head: Head[W, K], x: BVar[L[T, W]], hidden: L[T, T]) -> BVar[L[T, W]]:
    """Each place gathers from those up to it. `hidden` is hugely negative where it must not look, and else 0."""
    queries, keys, values = x @ head.query, x @ head.key, x @ head.value
    weights = tp.softmax(queries @ keys.T / math.sqrt(keys.shape[1]) + hidden)
    return weights @ values @ head.output


def logits(model: Transformer[V, T, W, K, H], text: R[T, np.int64]) -> BVar[L[T, V]]:
    """At each place of the text a score for each letter that may come next."""
    ones = 0.0 * text.astype(np.float64) + 1.0
    hidden = -1e9 * tp.triu(tp.outer(ones, ones), 1)
    x = model.letters[text] + model.places
    y = normalized(x)
    for head in model.heads:
        x = x + attend(head, y, hidden)
    z = tp.gelu(normalized(x) @ model.weight1 + model.bias1) @ model.weight2 + model.bias2
    return normalized(x + z) @ model.scores


def loss(model: Transformer[V, T, W, K, H], windows: Sequence[tuple[R[T, np.int64], L[T, V]]]) -> BVar[float]:
    """The mean cross-entropy of the next letter, in nats, over windows of text and the letters that follow."""
    total = BVar(0.0)
    for text, following in windows:
        total = total + tp.softmax_cross_entropy(logits(model, text), following).mean()
    return total / float(len(windows))


def random_transformer(
    letters: V, places: T, width: W, keys: K, heads: int, hidden: H, rng: np.random.Generator
) -> Transformer[V, T, W, K, H]:
    scale = 1.0 / math.sqrt(width)
    return Transformer(
        letters=BVar(tp.normal(rng, letters, width, scale=0.5)),
        places=BVar(tp.normal(rng, places, width, scale=0.5)),
        heads=tuple(
            Head(
                query=BVar(tp.normal(rng, width, keys, scale=scale)),
                key=BVar(tp.normal(rng, width, keys, scale=scale)),
                value=BVar(tp.normal(rng, width, keys, scale=scale)),
                output=BVar(tp.normal(rng, keys, width, scale=scale)),
            )
            for _ in range(heads)
        ),
        weight1=BVar(tp.normal(rng, width, hidden, scale=scale)),
        bias1=BVar(tp.zeros(hidden)),
        weight2=BVar(tp.normal(rng, hidden, width, scale=1.0 / math.sqrt(hidden))),
        bias2=BVar(tp.zeros(width)),
        scores=BVar(tp.normal(rng, width, letters, scale=0.1)),
    )


# %% The text
@attrs.frozen(eq=False)
class Corpus(Generic[V]):
    """Numbers of letters; the letters; which part is learned from."""

    letters: str
    size: V
    learned: R[Text, np.int64]
    unseen: R[Text, np.int64]

    @property
    def entropy(self) -> float:
        """In nats: what it costs to guess each letter of the unseen text by how frequent it is in the other."""
        counts = np.bincount(self.learned, minlength=self.size) + 1.0
        return float(-np.log(counts / counts.sum())[self.unseen].mean())

    def written(self, numbers: Iterable[int | np.int64]) -> str:
        return "".join(self.letters[k] for k in numbers)


def load() -> Corpus[Letters]:
    text = TEXT.read_text(encoding="utf-8").lower()
    letters = "".join(sorted(set(text)))
    numbers = [letters.index(letter) for letter in text]
    split = text.index("the expense of spirit")
    return Corpus(
        letters,
        Letters(len(letters)),
        tp.vector(numbers[:split], Text(split), dtype=np.int64),
        tp.vector(numbers[split:], Text(len(numbers) - split), dtype=np.int64),
    )


def window(corpus: Corpus[V], text: R[Text, np.int64], start: int, places: T) -> tuple[R[T, np.int64], L[T, V]]:
    """A window of the text, and the letters that follow each of its letters, as rows with a 1."""
    here = tp.vector(text[start : start + places], places, dtype=np.int64)
    following = tp.vector(text[start + 1 : start + 1 + places], places, dtype=np.int64)
    return here, tp.eye(corpus.size)[following]


# %% Learning
Model = Transformer[Letters, Places, Width, Keys, Hidden]


def judge(model: Model, corpus: Corpus[Letters], text: R[Text, np.int64], places: Places) -> float:
    starts = range(0, min(len(text), 2000) - places - 1, places)
    return loss(model, [window(corpus, text, start, places) for start in starts]).value


def learn(
    model: Model, corpus: Corpus[Letters], places: Places, *, steps: int, batch: int, rng: np.random.Generator
) -> tuple[Model, list[float], list[tuple[int, float]]]:
    """Adam; also the loss of each step, and that of the unseen text from time to time."""
    optimizer = optim.chain(optim.clip_by_global_norm(1.0), optim.adam(optim.cosine_decay(6e-3, steps)))
    state = optimizer.init(model)
    losses, unseen = list[float](), [(0, judge(model, corpus, corpus.unseen, places))]
    for step in range(1, steps + 1):
        starts = rng.integers(0, len(corpus.learned) - places - 1, batch)
        windows = [window(corpus, corpus.learned, int(start), places) for start in starts]
        value, gradient = tp.value_and_grad(loss)(model, windows)
        losses.append(value.value)
        updates, state = optimizer.update(gradient, state, model)
        model = model + updates
        if step % max(1, steps // 10) == 0:
            unseen.append((step, judge(model, corpus, corpus.unseen, places)))
    return model, losses, unseen


def write(model: Model, corpus: Corpus[Letters], places: Places, rng: np.random.Generator, *, count: int) -> str:
    """A text of the model's own: each letter drawn by its probability after the last ones, a little sharpened."""
    numbers = [int(k) for k in corpus.learned[:places]]
    for _ in range(count):
        last = tp.vector(numbers[-places:], places, dtype=np.int64)
        probability = tp.softmax(logits(model, last).value[places - 1] / 0.8)
        numbers.append(int(rng.choice(corpus.size, p=probability)))
    return corpus.written(numbers[places:])


# %% The picture
def draw(
    path: Path,
    model: Model,
    corpus: Corpus[Letters],
    losses: Sequence[float],
    unseen: Sequence[tuple[int, float]],
    places: Places,
) -> None:
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    curve, look = figure.subplots(1, 2, width_ratios=(3, 3))
    curve.plot(losses, color="C0", alpha=0.5, label="learned from, each batch")
    curve.plot(*zip(*unseen, strict=True), "o-", color="C3", label=f"two unseen sonnets ({unseen[-1][1]:.2f} at last)")
    curve.axhline(corpus.entropy, color="0.5", linestyle="--", label=f"by frequency alone ({corpus.entropy:.2f})")
    curve.set(title="Learning curve", xlabel="step", ylabel="cross-entropy (nats a letter)")
    curve.legend()
    here, _ = window(corpus, corpus.unseen, 0, places)
    probability = tp.softmax(logits(model, here)).value
    shown = sorted({int(letter) for letter in corpus.unseen[1 : places + 1]})
    look.imshow(probability[:, shown].T, cmap="Blues", aspect="auto", vmin=0.0, vmax=1.0)
    names = [{" ": "space", "\n": "line"}.get(corpus.letters[k], corpus.letters[k]) for k in shown]
    look.set_xticks(range(places), [corpus.letters[k].replace("\n", "|") for k in here], fontsize="x-small")
    look.set_yticks(range(len(shown)), names, fontsize="x-small")
    for place, letter in enumerate(corpus.unseen[1 : places + 1]):
        look.plot(place, shown.index(int(letter)), "s", markerfacecolor="none", color="C3", markersize=5)
    look.set(title="Probability of the next letter (red: what came)", xlabel="unseen text", ylabel="next letter")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=120)


# %% All together
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Learn Shakespeare's sonnets by a small transformer.")
    parser.add_argument("--steps", type=int, default=500, help="steps of learning (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=8, help="windows in a step (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, batches and writing (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/transformer.png"), metavar="FILE", help="picture (default: %(default)s)"
    )
    options = parser.parse_args(argv)

    rng = np.random.default_rng(options.seed)
    corpus, places = load(), Places(48)
    start = random_transformer(corpus.size, places, Width(48), Keys(12), 4, Hidden(96), rng)
    print(f"{len(corpus.learned)} letters of {corpus.size} kinds; {corpus.entropy:.3f} nats each by frequency alone")
    model, losses, unseen = learn(start, corpus, places, steps=options.steps, batch=options.batch, rng=rng)
    print(f"loss {losses[0]:.3f} at first, {losses[-1]:.3f} at last; of unseen text {unseen[-1][1]:.3f}")
    print(write(model, corpus, places, rng, count=200))
    draw(options.out, model, corpus, losses, unseen, places)
    print(f"picture: {options.out}")
    if not unseen[-1][1] < corpus.entropy:
        print("transformer: it knows no more than how frequent letters are; it takes more steps", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
