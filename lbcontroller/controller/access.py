"""What reconciles use of AWS."""

from __future__ import annotations

from dataclasses import dataclass

from lbcontroller.aws.instances import GroupResolver
from lbcontroller.aws.inventory import InventorySource
from lbcontroller.aws.observe import Observer
from lbcontroller.aws.target_accounts import TargetAccounts


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccess:
    """Facts, observations and targets; changes of stacks go through plans."""

    inventory: InventorySource
    observer: Observer
    target_accounts: TargetAccounts
    groups: GroupResolver
