"""Writes torch_optimizers.json: what PyTorch's optimizers, schedules and clipping do, step by step.

    pip install torch==2.13.0
    python tests/data/torch_optimizers.py

The tests read the numbers, so that they need no PyTorch. Gradients and weights are given in the file; what is recorded
is the weights after each step.
"""

from __future__ import annotations

import importlib
import json
import math
from pathlib import Path
from typing import Any

# Not among what the tests install, nor are its types.
torch: Any = importlib.import_module("torch")

STEPS = 12
LIKE = {"matrix": (2, 3), "vector": (4,), "scalar": ()}
DTYPES = {"float64": torch.float64, "float32": torch.float32}


def numbers(seed: int, shape: tuple[int, ...], scale: float) -> Any:
    """Multiples of 1/1024, which both float types hold exactly."""
    generator = torch.Generator().manual_seed(seed)
    return torch.round(1024 * scale * torch.randn(shape, generator=generator, dtype=torch.float64)) / 1024


START = {name: numbers(k, shape, 1.0) for k, (name, shape) in enumerate(LIKE.items())}
GRADIENTS = [
    {name: numbers(100 * step + k, shape, math.exp(-step / 4)) for k, (name, shape) in enumerate(LIKE.items())}
    for step in range(1, STEPS + 1)
]

OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {"lr": 0.1}),
    "momentum": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "nesterov": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.8, "nesterov": True}),
    "sgd, weight decay": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05}),
    "adam": (torch.optim.Adam, {"lr": 0.01}),
    "adam, other constants": (torch.optim.Adam, {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-3}),
    "adam, weight decay": (torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.05}),
    "adamw": (torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    "rmsprop": (torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.9, "eps": 1e-8}),
    "rmsprop, momentum": (torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.99, "eps": 1e-4, "momentum": 0.9}),
    "rmsprop, centered": (
        torch.optim.RMSprop,
        {"lr": 0.01, "alpha": 0.95, "eps": 1e-2, "momentum": 0.5, "centered": True},
    ),
    "adagrad": (torch.optim.Adagrad, {"lr": 0.1}),
    "adagrad, other constants": (torch.optim.Adagrad, {"lr": 0.1, "initial_accumulator_value": 0.1, "eps": 1e-7}),
}


def listed(values: dict[str, Any]) -> dict[str, object]:
    return {name: value.detach().to(torch.float64).tolist() for name, value in values.items()}


def trajectory(kind: Any, settings: Any, dtype: Any) -> list[dict[str, object]]:
    weights = {name: value.to(dtype).clone().requires_grad_() for name, value in START.items()}
    optimizer = kind(weights.values(), **settings)
    found = []
    for gradients in GRADIENTS:
        for name, weight in weights.items():
            weight.grad = gradients[name].to(dtype).clone()
        optimizer.step()
        found.append(listed(weights))
    return found


def rates(schedule: str) -> list[float]:
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.5)
    schedules = torch.optim.lr_scheduler
    if schedule == "exponential":
        scheduler = schedules.ExponentialLR(optimizer, gamma=0.9)
    elif schedule == "staircase":
        scheduler = schedules.StepLR(optimizer, step_size=3, gamma=0.5)
    elif schedule == "cosine":
        # Beyond its end PyTorch's rises again; a schedule of ours stays.
        scheduler = schedules.CosineAnnealingLR(optimizer, T_max=STEPS, eta_min=0.05)
    elif schedule == "linear":
        scheduler = schedules.LinearLR(optimizer, start_factor=1.0, end_factor=0.2, total_iters=5)
    elif schedule == "warmup":
        up = schedules.LinearLR(optimizer, start_factor=0.2, end_factor=1.0, total_iters=4)
        down = schedules.ExponentialLR(optimizer, gamma=0.8)
        scheduler = schedules.SequentialLR(optimizer, [up, down], milestones=[4])
    else:
        scheduler = schedules.MultiStepLR(optimizer, milestones=[3, 7], gamma=0.1)
    found = []
    for _ in range(STEPS):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return found


def clipped(by: str) -> list[dict[str, object]]:
    found = []
    for gradients in GRADIENTS:
        weights = {name: value.clone().requires_grad_() for name, value in START.items()}
        for name, weight in weights.items():
            weight.grad = gradients[name].clone()
        if by == "value":
            torch.nn.utils.clip_grad_value_(weights.values(), 0.25)
        else:
            torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        found.append(listed({name: weight.grad for name, weight in weights.items()}))
    return found


def main() -> None:
    """Write the file beside this one."""
    document = {
        "torch": torch.__version__.partition("+")[0],
        "start": listed(START),
        "gradients": [listed(gradients) for gradients in GRADIENTS],
        "weights": {
            name: {dtype: trajectory(kind, settings, torch_dtype) for dtype, torch_dtype in DTYPES.items()}
            for name, (kind, settings) in OPTIMIZERS.items()
        },
        "rates": {
            name: rates(name) for name in ("exponential", "staircase", "cosine", "linear", "warmup", "multistep")
        },
        "clipped": {by: clipped(by) for by in ("value", "norm")},
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
