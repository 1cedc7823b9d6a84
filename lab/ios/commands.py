# SPDX-License-Identifier: MIT
"""All commands there are: each module below fills the table when it is read."""
from . import actions, asa, configure, show_crypto, show_dmvpn, show_memory, show_sdwan, show_system  # noqa: F401
from .table import Refused, find

__all__ = ["Refused", "find"]
