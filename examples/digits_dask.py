"""Train the digits network on a Dask cluster: each worker takes the gradient of a part of the batch.

The model and the data are those of digits.py; here the loss is a sum over images, so that the parts add up, and the
steps are Adam's. By itself it starts a cluster of processes on this machine; with `--scheduler` it uses one that runs
already. Either way the result is the same to the last bit, however many workers there are, and whichever of them die.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import numpy as np
from distributed import Client, LocalCluster
from tqdm import tqdm
from typing_extensions import TypeVar

import digits
import idx
import typedprop as tp
from digits import (
    Batch,
    Digits,
    HeldOut,
    Hidden1,
    Hidden2,
    Network,
    Pixels,
    Samples,
    ScanNetwork,
    Training,
    bundled_scans,
    judge,
    logits,
    mini_batches,
    positive_float,
    positive_int,
    random_network,
)
from typedprop import BVar, L, optim, parallel

I = TypeVar("I", bound=int)
H1 = TypeVar("H1", bound=int)
H2 = TypeVar("H2", bound=int)
O = TypeVar("O", bound=int)
B = TypeVar("B", bound=int)


# %% The loss, and the parts of a batch
def total_loss(net: Network[I, H1, H2, O], x: L[B, I], target: L[B, O]) -> BVar[float]:
    """The cross-entropy summed over the images: what the parts of a batch have, the batch has in sum."""
    return tp.softmax_cross_entropy(logits(net, x), target).sum()


def parts(
    x: L[Batch, Pixels], target: L[Batch, Digits], count: int
) -> Iterator[tuple[L[Batch, Pixels], L[Batch, Digits]]]:
    """The rows of a batch in parts of about the same size."""
    edges = np.linspace(0, len(x), count + 1).astype(int).tolist()
    for start, end in pairwise(edges):
        if start < end:
            yield x[start:end], target[start:end]


# %% Training
def train(
    client: Client,
    net: ScanNetwork,
    training: Samples[Training],
    *,
    rate: float,
    epochs: int,
    batch: int,
    shards: int,
    rng: np.random.Generator,
) -> ScanNetwork:
    steps = epochs * -(-training.count // batch)
    optimizer = optim.adam(optim.cosine_decay(rate, steps))
    state = optimizer.init(net)
    # Each call is made once: Dask need not look whether it knows it already.
    workers = client.get_executor(pure=False)
    with tqdm(total=steps, desc="training", unit="step", disable=None) as bar:
        for _ in range(epochs):
            for x, target in mini_batches(training, batch, rng):
                value, gradient = parallel.value_and_grad(total_loss, net, parts(x, target, shards), workers)
                updates, state = optimizer.update(gradient / len(x), state, net)
                net = net + updates
                bar.update()
                bar.set_postfix(loss=f"{value.value / len(x):.3f}")
    return net


# %% The command line
def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digits_dask.py", description="Train a network to read handwritten digits, on a Dask cluster."
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="a running cluster's scheduler, such as tcp://127.0.0.1:8786, whose workers have typedprop installed "
        "(default: start a cluster of processes on this machine)",
    )
    for name, kind, default, text in (
        ("workers", positive_int, 2, "processes of the cluster that is started"),
        ("shards", positive_int, 4, "parts that a batch is cut into, each one task for a worker"),
        ("epochs", positive_int, 25, "how many times to go through the training images"),
        ("batch", positive_int, 120, "images in a batch"),
        ("rate", positive_float, 0.03, "Adam's learning rate, which falls to 0 along half a cosine"),
    ):
        metavar = "X" if kind is positive_float else "N"
        parser.add_argument(
            f"--{name}", type=kind, default=default, metavar=metavar, help=f"{text} (default: %(default)s)"
        )
    parser.add_argument("--save", type=Path, metavar="FILE", help="where to save the network (default: not at all)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Train and report as the options say."""
    options = make_parser().parse_args(argv)
    training, held_out = bundled_scans(seed=0)
    rng = np.random.default_rng(0)
    net = random_network(Pixels(64), Hidden1(64), Hidden2(32), Digits(10), rng)
    with ExitStack() as stack:
        if options.scheduler is None:
            # That a worker comes or goes is told below warnings, too.
            logging.getLogger("distributed").setLevel(logging.ERROR)
            cluster = LocalCluster(
                n_workers=options.workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
            )
            client = stack.enter_context(Client(stack.enter_context(cluster)))
        else:
            client = stack.enter_context(Client(options.scheduler))
            # The workers elsewhere need the modules that the loss is in.
            for file in (idx.__file__, digits.__file__, __file__):
                client.upload_file(file)
        start = time.perf_counter()
        net = train(
            client,
            net,
            training,
            rate=options.rate,
            epochs=options.epochs,
            batch=options.batch,
            shards=options.shards,
            rng=rng,
        )
        seconds = time.perf_counter() - start
    report(net, held_out, seconds)
    if options.save is not None:
        tp.save(options.save, net)
        print(f"saved: {options.save}")
    return 0


def report(net: ScanNetwork, held_out: Samples[HeldOut], seconds: float) -> None:
    score = judge(net, held_out)
    print(f"accuracy on the held-out images: {score.accuracy:.2%}, after {seconds:.1f} s of training")


if __name__ == "__main__":
    sys.exit(main())
