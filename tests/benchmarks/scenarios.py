"""What targets cost: AWS calls, which are the same on every machine, and CPU, which is not."""

from __future__ import annotations

import gc
import tempfile
import time
import tracemalloc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lbcontroller.local.aws.faults import ALWAYS, Delay, Fault
from lbcontroller.local.cluster import local_cluster
from tests.benchmarks.measured import Result, controller_process
from tests.support.idle_cluster import IdleCluster
from tests.support.own_target_groups import a_deployment
from tests.support.yard import Yard

SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: NAME
  annotations: {service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip}
spec:
  type: LoadBalancer
  loadBalancerClass: service.k8s.aws/nlb
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
"""
AT_A_TIME = 50
"""Services created before the controller is waited for."""
CREATED_SECONDS = 600.0
"""How long that may take on a busy machine."""
UNLIMITED = {"aws-api-throttle": "Elastic Load Balancing v2:.*=100000:100000,EC2:.*=100000:100000"}
"""Limits of our own that are not felt: calls are counted, not timed."""
AWS_SECONDS = 0.05
"""How long AWS takes for a registration."""


@contextmanager
def a_yard(flags: Mapping[str, str] | None = None) -> Iterator[Yard]:
    """A cluster of its own, with a running controller."""
    with local_cluster(cluster_name="bench") as cluster, tempfile.TemporaryDirectory() as directory:
        kubeconfig = Path(directory) / "kubeconfig"
        cluster.kubernetes.write_kubeconfig(kubeconfig)
        with Yard(cluster, str(kubeconfig), flags) as yard:
            yield yard


def a_service(name: str = "web") -> str:
    return SERVICE.replace("NAME", name)


def replaced_pod() -> Result:
    """Return the AWS calls for one pod that is replaced."""
    with a_yard() as yard:
        yard.apply(a_deployment("web") + "---" + a_service())
        yard.settle()
        yard.forget_calls()
        yard.replace_a_pod("web")
        yard.settle()
        return _calls(yard)


def rollout(*, replicas: int = 40, batch: int = 4) -> Result:
    """Return the AWS calls for all pods of a Deployment replaced in batches."""
    with a_yard() as yard:
        yard.apply(a_deployment("web", replicas=replicas) + "---" + a_service())
        yard.settle()
        delay = Fault(
            service="elbv2",
            operation="(Register|Deregister)Targets",
            effect=Delay(seconds=AWS_SECONDS),
            times=ALWAYS,
        )
        yard.cluster.aws.inject(delay)
        yard.forget_calls()
        pods = sorted(pod["metadata"]["name"] for pod in yard.kubernetes.list("pods", labels="app=web"))
        for start in range(0, replicas, batch):
            with yard.kubernetes.one_step():
                for name in pods[start : start + batch]:
                    yard.delete("pod", name)
            yard.settle()
        return {"replicas": replicas, "batch": batch, **_calls(yard)}


@contextmanager
def served(*, services: int, pods: int) -> Iterator[Yard]:
    """Services with load balancers; all of the pods are targets of each. The controller runs."""
    with a_yard(UNLIMITED) as yard:
        yard.apply(a_deployment("web", replicas=pods))
        for first in range(0, services, AT_A_TIME):
            for number in range(first, min(services, first + AT_A_TIME)):
                yard.apply(a_service(f"web-{number}"))
            yard.settle(within=CREATED_SECONDS)
        yield yard


def start_up(yard: Yard) -> Result:
    """Return the AWS calls of a start over the load balancers that exist."""
    services = len(yard.names("services"))
    yard.forget_calls()
    yard.restart_controller()
    yard.settle(within=CREATED_SECONDS)
    calls = _calls(yard)
    return {"services": services, "calls_per_service": round(calls["calls"] / services, 2), **calls}


def memory(yard: Yard) -> Result:
    """Return the memory of a controller's process that has come to rest after a start."""
    services = len(yard.names("services"))
    yard.stop_controller()
    with controller_process(yard.cluster, UNLIMITED) as running:
        running.until_idle(CREATED_SECONDS)
        return {"services": services, "resident_megabytes": running.resident_megabytes()}


def endpoint_events(*, services: int = 1000, pods: int = 10, events: int = 2000) -> Result:
    """Return the CPU from the event of an endpoint to what is to be sent to AWS, and the cache's memory."""
    tracemalloc.start()
    cluster = IdleCluster(services=services, pods=pods)
    memory, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    gc.freeze()
    milliseconds = []
    for number in range(events):
        begun = time.process_time_ns()
        changes = cluster.change_a_slice(number)
        milliseconds.append((time.process_time_ns() - begun) / 1e6)
        assert (len(changes.register), len(changes.deregister)) == (1, 1)
    gc.unfreeze()
    milliseconds.sort()
    return {
        "services": services,
        "pods": services * pods,
        "cpu_ms_median": round(milliseconds[len(milliseconds) // 2], 3),
        "cpu_ms_p99": round(milliseconds[int(len(milliseconds) * 0.99)], 3),
        "cache_megabytes": round(memory / 1e6, 1),
    }


def _calls(yard: Yard) -> Result:
    calls = yard.calls()
    return {"calls": calls.total(), "by_operation": dict(sorted(calls.items()))}
