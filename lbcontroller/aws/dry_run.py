"""Changes that are only tried: EC2 tells whether it would carry out a request, and does not.

No other service that is used here offers it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import would_be_done
from lbcontroller.aws.operations import AwsService, Effect, Operation
from lbcontroller.errors import Transient


def try_out(caller: AwsCaller, operation: Operation, **parameters: Any) -> None:
    """Return if EC2 would carry out a call; whoever does not lead may try, too.

    Raises:
        Denied: a permission is missing.
        LbControllerError: EC2 would refuse it for another reason, or does not say.
    """
    if operation.service is not AwsService.EC2:
        raise TypeError(f"{operation.name} cannot be tried")
    try:
        caller.call(replace(operation, effect=Effect.READ), **parameters, DryRun=True)
    except Transient as error:
        if not would_be_done(error):
            raise
