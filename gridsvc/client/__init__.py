"""A client of the service: who owns this, one at a time or many at once, here or from a file.

::

    from gridsvc.client import Client

    with Client("http://127.0.0.1:8000") as client:
        client.owner(28.601943, 112.902049).grid.code
        client.owners(lat, lon).team
        client.offline().lookup(lat, lon)

It knows the service by its published API only.
"""

from gridsvc.client.answers import (
    CellOwner,
    Customer,
    Grid,
    Lead,
    Named,
    Owner,
    Owners,
    Publication,
    Role,
    Transition,
)
from gridsvc.client.client import Client
from gridsvc.client.failures import Unavailable, UnexpectedAnswer

__all__ = [
    "CellOwner",
    "Client",
    "Customer",
    "Grid",
    "Lead",
    "Named",
    "Owner",
    "Owners",
    "Publication",
    "Role",
    "Transition",
    "Unavailable",
    "UnexpectedAnswer",
]
