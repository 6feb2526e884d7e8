"""The list of what is measured: a key for each task, and how a contender is asked for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.contender import Call, Contender
from benchmarks.work import Classifier, Elementwise, MultiplyChain, Recurrent, Regressor, Rosenbrock, ScalarChain, Tree


@dataclass(frozen=True)
class Task:
    """One thing that contenders do against each other."""

    key: str
    label: str
    prepare: Callable[[Contender], Call | None]
    # How far results may differ, relative to the largest element: rounding, in another order.
    tolerance: float = 1e-9


def _gradient(batch: int | None, dtype: str) -> Callable[[Contender], Call | None]:
    return lambda contender: contender.classifier_gradient(Classifier.draw(batch, dtype))


def _step(batch: int | None, dtype: str) -> Callable[[Contender], Call | None]:
    return lambda contender: contender.classifier_step(Classifier.draw(batch, dtype))


def _run(batch: int | None, dtype: str) -> Callable[[Contender], Call | None]:
    return lambda contender: contender.classifier_run(Classifier.draw(batch, dtype))


def _scalar_chain(operations: int) -> Callable[[Contender], Call | None]:
    return lambda contender: contender.scalar_chain_gradient(ScalarChain(operations))


def _classifier_tasks() -> list[Task]:
    tasks = []
    for key, label, work in (("gradient", "gradient", _gradient), ("step", "SGD step", _step), ("run", "run", _run)):
        for dtype in ("float64", "float32"):
            for batch in (256, 32, None):
                rows = "one sample" if batch is None else f"batch {batch}"
                tolerance = 1e-9 if dtype == "float64" else 1e-3
                tasks.append(
                    Task(
                        f"{key}/{dtype}/{batch or 1}",
                        f"784-300-100-10: {label}, {dtype}, {rows}",
                        work(batch, dtype),
                        tolerance,
                    )
                )
    return tasks


TASKS = {
    task.key: task
    for task in (
        *_classifier_tasks(),
        Task(
            "tiny",
            "10-16-16-3: gradient, one sample",
            lambda contender: contender.regressor_gradient(Regressor.draw()),
        ),
        Task(
            "recurrent",
            "recurrent network: 100 steps, 32 hidden",
            lambda contender: contender.recurrent_gradient(Recurrent.draw()),
        ),
        *(
            Task(f"scalars/{n}", f"scalar chain: {n:,} operations", _scalar_chain(n))
            for n in (1_000, 10_000, 100_000, 1_000_000)
        ),
        Task(
            "multiply",
            "vectors of 32: 1,000 multiplications",
            lambda contender: contender.multiply_chain_gradient(MultiplyChain.draw()),
        ),
        Task(
            "hvp",
            "Rosenbrock, n = 1,000: Hessian times vector",
            lambda contender: contender.rosenbrock_hvp(Rosenbrock.draw()),
        ),
        Task(
            "elementwise",
            "10⁶ elements: 20 elementwise operations",
            lambda contender: contender.elementwise_gradient(Elementwise.draw()),
        ),
        Task("flatten", "flatten a record of 4 fields", lambda contender: contender.flatten(Tree(1))),
        Task(
            "rebuild",
            "flatten and rebuild 100 layers",
            lambda contender: contender.flatten_and_rebuild(Tree(100)),
        ),
    )
}
