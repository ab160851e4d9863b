from __future__ import annotations

from lbcontroller.keys import ObjectName
from lbcontroller.kube.resources import ObjectRef, ResourceType
from lbcontroller.kube.writes import DryRunWriter, ObjectWriter, PlannedWrite, WriteVerb

WEB = ObjectRef(resource=ResourceType.SERVICES, name=ObjectName("shop", "web"), uid="u")


def test_a_dry_run_remembers_every_write_in_order() -> None:
    dry_run = DryRunWriter()
    writer: ObjectWriter = dry_run
    binding = {"metadata": {"name": "k8s-web", "namespace": "shop"}}

    writer.add_finalizer(WEB, "service.k8s.aws/resources")
    assert writer.create(ResourceType.TARGET_GROUP_BINDINGS, binding) == binding
    writer.patch_status(WEB, {"loadBalancer": {}})
    writer.delete(WEB)

    assert dry_run.writes == [
        PlannedWrite(
            verb=WriteVerb.ADD_FINALIZER, subject="Service shop/web", content="service.k8s.aws/resources"
        ),
        PlannedWrite(verb=WriteVerb.CREATE, subject="TargetGroupBinding shop/k8s-web", content=binding),
        PlannedWrite(verb=WriteVerb.PATCH_STATUS, subject="Service shop/web", content={"loadBalancer": {}}),
        PlannedWrite(verb=WriteVerb.DELETE, subject="Service shop/web", content=None),
    ]
