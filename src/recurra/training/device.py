"""Where it is computed."""

from __future__ import annotations

import torch
from torch import nn

from recurra.errors import UsageError


def move_to_device(network: nn.Module, name: str | torch.device) -> torch.device:
    """Move a network to a device and give that.

    Raises `UsageError` for a device that is not here, is too small, or computes nothing ("meta").

    >>> move_to_device(nn.Linear(2, 3), "cpu")
    device(type='cpu')
    """
    device = check_device(name)
    try:
        network.to(device)
    except (AssertionError, RuntimeError) as error:
        raise UsageError(f"device: {name!r} cannot be used here: {str(error).splitlines()[0]}") from None
    return device


def check_device(name: str | torch.device) -> torch.device:
    """Give a device; raises `UsageError` for one that cannot be used here.

    >>> check_device("cpu")
    device(type='cpu')
    """
    try:
        device = torch.device(name)
        torch.zeros(1).to(device).item()
    except (AssertionError, RuntimeError, ValueError) as error:  # torch asserts that it was built with the device
        reason = "expected the name of a device" if isinstance(error, ValueError) else str(error).splitlines()[0]
        raise UsageError(f"device: {name!r} cannot be used here: {reason}") from None
    return device
