# Two stages: build a wheel with the page in it, then a small image that runs it as a user without rights.
# BASE may be any Debian 13 or newer image; Python, and Node for the build stage, come from its packages.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv nodejs npm ca-certificates
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python3 -m venv /opt/build && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock \
 && python3 -m venv /opt/gridsvc && /opt/gridsvc/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY api/web/package.json api/web/package-lock.json api/web/
RUN cd api/web && npm ci --no-audit --no-fund
COPY . .
RUN cd api/web && npm run build
RUN /opt/build/bin/python -m hatchling build -t wheel -d /dist \
 && /opt/gridsvc/bin/pip install --no-cache-dir --no-deps /dist/*.whl

FROM ${BASE}
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /var/lib/gridsvc --uid 10001 gridsvc \
 && install -d -o gridsvc /var/lib/gridsvc/data
COPY --from=build /opt/gridsvc /opt/gridsvc
COPY data/samples /usr/share/gridsvc/samples
USER gridsvc
WORKDIR /var/lib/gridsvc
ENV PATH=/opt/gridsvc/bin:$PATH GRIDSVC_DATA_DIR=/var/lib/gridsvc/data PYTHONUNBUFFERED=1
EXPOSE 8000
VOLUME /var/lib/gridsvc/data
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"
# The container's port is private to its network; publish it on loopback (-p 127.0.0.1:8000:8000)
# while the service has no identity of its own.
CMD ["gridsvc", "serve", "--host", "0.0.0.0", "--open", "--upgrade"]
