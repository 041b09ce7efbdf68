# One image for the API, the worker and the migrations: `trunkline COMMAND`.
#
# Checked by parsing only (tests/test_containers.py): no container engine has built it yet.

FROM python:3.13-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.lock /tmp/requirements.lock
RUN /opt/venv/bin/python -m pip install --require-hashes --only-binary :all: -r /tmp/requirements.lock

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="Trunkline" \
      org.opencontainers.image.description="Self-hosted SIP trunk control plane" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin trunkline
COPY --from=packages /opt/venv /opt/venv
COPY . /app
# Compiled once here: the user below may not write.
RUN /opt/venv/bin/python -m compileall -q /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TRUNKLINE_API_HOST=0.0.0.0 \
    TRUNKLINE_API_PORT=8080
WORKDIR /app
USER 10001
EXPOSE 8080
# Of the API; a container that runs the worker has its own check in docker-compose.yml.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "trunkline"]
CMD ["api"]
