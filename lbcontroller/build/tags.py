"""The complete tags of a resource.

Tracking tags always win, because resources are found by them. Of `--default-tags` and the user's own tags the
defaults win, unless the gate EnableDefaultTagsLowPriority turns that round.
"""

from __future__ import annotations

from lbcontroller.build.result import BuildContext
from lbcontroller.errors import InvalidConfig
from lbcontroller.model.fields import Tags
from lbcontroller.model.identity import SHARED_STACK, Tracked, tracking_tags
from lbcontroller.model.limits import TAGS_PER_RESOURCE
from lbcontroller.model.references import ResourceId
from lbcontroller.settings import Settings


def resource_tags(context: BuildContext, resource_id: ResourceId, user_tags: Tags) -> Tags:
    """Return the tags of a resource of the context's stack, ordered by key.

    Raises:
        InvalidConfig: when the user sets a tag that somebody else manages, or when there are too many.
    """
    settings = context.settings
    external = sorted(user_tags.keys() & set(settings.external_managed_tags))
    if external:
        raise InvalidConfig(
            *(
                context.problem(
                    context.tags_field,
                    f"must leave out the tag {key}, which --external-managed-tags gives to somebody else",
                    value=f"{key}={user_tags[key]}",
                )
                for key in external
            )
        )
    if settings.feature_gates.enable_default_tags_low_priority:
        chosen = {**settings.default_tags, **user_tags}
    else:
        chosen = {**user_tags, **settings.default_tags}
    tags = chosen | dict(
        tracking_tags(settings.cluster_name, Tracked(stack=context.stack, resource=resource_id.name))
    )
    if len(tags) > TAGS_PER_RESOURCE:
        raise InvalidConfig(
            context.problem(
                context.tags_field,
                f"AWS takes at most {TAGS_PER_RESOURCE} tags on a resource, and with those of the controller "
                f"there are {len(tags)}",
                value=f"{len(user_tags)} tags",
            )
        )
    return dict(sorted(tags.items()))


def shared_resource_tags(settings: Settings, resource: str) -> Tags:
    """Return the tags of a resource that belongs to the whole cluster, ordered by key."""
    tracking = tracking_tags(settings.cluster_name, Tracked(stack=SHARED_STACK, resource=resource))
    return dict(sorted({**settings.default_tags, **tracking}.items()))
