"""Which labels a Kubernetes LabelSelector, as it stands in a manifest, selects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lbcontroller.cluster.objects import JsonObject, mapping, sequence
from lbcontroller.errors import InvalidConfig, Problem

OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")


def selects(selector: JsonObject, labels: Mapping[str, str], *, subject: str, field: str) -> bool:
    """Return whether a selector selects labels; an empty one selects everything.

    Args:
        selector: with `matchLabels` and `matchExpressions`.
        labels: of the object in question.
        subject: the object the selector stands in, for messages.
        field: where in that object.

    Raises:
        InvalidConfig: for an unknown operator.
    """
    return all(labels.get(key) == value for key, value in mapping(selector, "matchLabels").items()) and all(
        _meets(expression, labels, subject, field) for expression in sequence(selector, "matchExpressions")
    )


def _meets(expression: JsonObject, labels: Mapping[str, str], subject: str, field: str) -> bool:
    key, values = expression.get("key") or "", sequence(expression, "values")
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case other:
            raise InvalidConfig(
                Problem(
                    subject=subject,
                    field=f"{field}.matchExpressions",
                    value=str(other),
                    expected=f"expected an operator out of {', '.join(OPERATORS)}",
                )
            )
