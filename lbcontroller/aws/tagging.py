"""Tags: reading them in batches, and changing those of one resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.operations import (
    ADD_TAGS,
    ADD_TAGS_TO_CERTIFICATE,
    CREATE_TAGS,
    DELETE_TAGS,
    DESCRIBE_TAGS,
    GET_TAGGED_RESOURCES,
    REMOVE_TAGS,
    REMOVE_TAGS_FROM_CERTIFICATE,
)
from lbcontroller.aws.wire import Changes, decode_tags, tag_list
from lbcontroller.errors import NotReady
from lbcontroller.model.fields import Known, Tags
from lbcontroller.model.ids import Arn

TAG_BATCH: Final = 20
"""Most resources of one DescribeTags call (ELBv2 API reference)."""


def read_tagged(
    caller: AwsCaller, resource_type: str, filters: Sequence[Mapping[str, Any]]
) -> Mapping[Arn, Tags]:
    """Return what the tagging API says has certain tags, with all of its tags.

    It learns of what is made, changed and deleted only after a while.

    Args:
        caller: makes the calls.
        resource_type: as the tagging API calls it, such as `acm:certificate`, or all of a service.
        filters: the tags.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    pages = caller.pages(GET_TAGGED_RESOURCES, ResourceTypeFilters=[resource_type], TagFilters=list(filters))
    return {
        Arn(item["ResourceARN"]): decode_tags(item["Tags"])
        for page in pages
        for item in page["ResourceTagMappingList"]
    }


def read_tags(caller: AwsCaller, arns: Sequence[Arn]) -> Mapping[Arn, Tags]:
    """Return the tags of at most `TAG_BATCH` ELBv2 resources; those that are gone are left out.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    try:
        answer = caller.call(DESCRIBE_TAGS, ResourceArns=list(arns))
    except NotReady as error:
        if not is_not_found(error):
            raise
        if len(arns) == 1:
            return {}
        # One that was deleted since it was listed fails the whole batch.
        half = len(arns) // 2
        return {**read_tags(caller, arns[:half]), **read_tags(caller, arns[half:])}
    return {item["ResourceArn"]: decode_tags(item["Tags"]) for item in answer["TagDescriptions"]}


def change_tags(caller: AwsCaller, arn: Arn, changes: Changes, present: Known[Tags]) -> None:
    """Change the tags of an ELBv2 resource that are not as wanted yet.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    change_tags_of(caller, (arn,), changes.of_tags_beyond(present))


def change_tags_of(caller: AwsCaller, arns: Sequence[Arn], changes: Changes) -> None:
    """Change the tags of at most `TAG_BATCH` ELBv2 resources alike, of all of them or of none.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    if changes.new_tags:
        caller.call(ADD_TAGS, ResourceArns=list(arns), Tags=tag_list(changes.new_tags))
    if changes.gone_tags:
        caller.call(REMOVE_TAGS, ResourceArns=list(arns), TagKeys=list(changes.gone_tags))


def change_ec2_tags(caller: AwsCaller, resource: Arn, changes: Changes) -> None:
    """Change the tags of an EC2 resource.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    if changes.new_tags:
        caller.call(CREATE_TAGS, Resources=[resource], Tags=tag_list(changes.new_tags))
    if changes.gone_tags:
        caller.call(DELETE_TAGS, Resources=[resource], Tags=[{"Key": key} for key in changes.gone_tags])


def change_certificate_tags(caller: AwsCaller, certificate: Arn, changes: Changes) -> None:
    """Change the tags of a certificate of ACM.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    if changes.new_tags:
        tags = tag_list(changes.new_tags)
        caller.call(ADD_TAGS_TO_CERTIFICATE, CertificateArn=certificate, Tags=tags)
    if changes.gone_tags:
        gone = [{"Key": key} for key in changes.gone_tags]
        caller.call(REMOVE_TAGS_FROM_CERTIFICATE, CertificateArn=certificate, Tags=gone)
