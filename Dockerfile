# The image of the controller. Nothing in it depends on the architecture: `docker buildx build --platform
# linux/amd64,linux/arm64` makes both. A release pins the base by digest: --build-arg BASE=python@sha256:…
ARG BASE=python:3.13.5-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY lbcontroller ./lbcontroller
# The environment gets no pip of its own, so there is none in the image. The versions are those that tests run with.
RUN python -m venv --without-pip /opt/lbcontroller \
    && python -m pip --python /opt/lbcontroller/bin/python install --no-cache-dir --constraint constraints.txt . \
    # A second copy of the client, for asyncio: 70 MB that nothing imports.
    && rm -r /opt/lbcontroller/lib/python*/site-packages/kubernetes/aio

FROM ${BASE}
LABEL org.opencontainers.image.title="lbcontroller" \
      org.opencontainers.image.description="AWS load balancers for Services and Ingresses" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/lbcontroller /opt/lbcontroller
ENV PATH=/opt/lbcontroller/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
# By number, so that Kubernetes can tell that it is not root.
USER 65532:65532
# Webhooks, metrics, probes.
EXPOSE 9443 8080 61779
ENTRYPOINT ["lbcontroller"]
CMD ["run"]
