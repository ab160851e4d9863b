"""Tag limits of ELBv2, checked wherever tags come in."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from moto.core.responses import ActionResult, EmptyResult

from lbcontroller.local.aws.strict.backend import StrictCalls
from lbcontroller.local.aws.strict.errors import constraint, invalid, refused

MAX_TAGS: Final = 50
"""User tags a resource may carry ("Tagging your AWS resources", tag naming limits)."""
MAX_ARNS_PER_DESCRIBE: Final = 20
"""ResourceArns of DescribeTags."""
_PUNCTUATION: Final = frozenset("_.:/=+-@")
_PATTERN: Final = r"satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"
_KEY_LENGTH: Final = range(1, 129)
_VALUE_LENGTH: Final = range(257)


def check_tags(tags: Sequence[Mapping[str, str]] | None, existing: Collection[str] = ()) -> None:
    """Refuse tags AWS would refuse.

    Args:
        tags: `Key`/`Value` pairs of the request.
        existing: Keys the resource already carries.

    Raises:
        ELBClientError: DuplicateTagKeys, TooManyTags or ValidationError.
    """
    keys = [tag["Key"] for tag in tags or ()]
    if len(keys) != len(set(keys)):
        raise refused("DuplicateTagKeys", "Duplicate tag keys provided")
    if any(key.lower().startswith("aws:") for key in keys):
        raise invalid("aws: prefixed tag key names are not allowed for external use.")
    for position, tag in enumerate(tags or (), start=1):
        _check_text(tag["Key"], f"tags.{position}.member.key", _KEY_LENGTH)
        _check_text(tag.get("Value") or "", f"tags.{position}.member.value", _VALUE_LENGTH)
    if len({*keys, *existing}) > MAX_TAGS:
        raise refused("TooManyTags", "The maximum number of tags has been reached")


def _check_text(text: str, field: str, length: range) -> None:
    allowed = all(unicodedata.category(char)[0] in "LZN" or char in _PUNCTUATION for char in text)
    if len(text) not in length or not allowed:
        raise constraint(text.encode("unicode_escape").decode()[:60], field, _PATTERN)


class TagCalls(StrictCalls):
    """AddTags and DescribeTags; moto stops at 10 tags and answers for resources that do not exist."""

    def add_tags(self) -> ActionResult:
        """Tag existing resources, all or none of them."""
        backend, params = self.elbv2_backend, self._get_params()
        for arn in params["ResourceArns"]:
            backend.resource(arn)
            check_tags(params["Tags"], backend.tagging_service.get_tag_dict_for_resource(arn))
        for arn in params["ResourceArns"]:
            backend.tagging_service.tag_resource(arn, params["Tags"])
        return EmptyResult()

    def remove_tags(self) -> ActionResult:
        """Remove tags from existing resources, default rules included."""
        backend, params = self.elbv2_backend, self._get_params()
        for arn in params["ResourceArns"]:
            backend.resource(arn)
        for arn in params["ResourceArns"]:
            backend.tagging_service.untag_resource_using_names(arn, params["TagKeys"])
        return EmptyResult()

    def describe_tags(self) -> ActionResult:
        """Tags of up to 20 resources; one that does not exist fails the call."""
        backend, arns = self.elbv2_backend, self._get_params()["ResourceArns"]
        if len(arns) > MAX_ARNS_PER_DESCRIBE:
            raise invalid(
                f"Up to '{MAX_ARNS_PER_DESCRIBE}' resource ARNs can be specified, "
                f"but '{len(arns)}' were specified"
            )
        for arn in arns:
            backend.resource(arn)
        described = [
            {"ResourceArn": arn, "Tags": backend.tagging_service.get_tag_dict_for_resource(arn)}
            for arn in dict.fromkeys(arns)
        ]
        return ActionResult({"TagDescriptions": described})
