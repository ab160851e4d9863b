"""Kubernetes controller that turns Services and Ingresses into AWS load balancers."""

__version__ = "0.1.0"
