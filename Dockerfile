# Two stages: build a wheel with the page in it, then a small image that runs it as a user without rights.
# BASE may be any Debian 13 or newer image; Python, and Node for the build stage, come from its packages.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv nodejs npm ca-certificates
# Certificates of a company's own, which lie in /usr/local/share/ca-certificates while it builds, are for npm too.
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
# What runs has neither pip nor what builds: both stay in an environment of their own.
RUN python3 -m venv /opt/build \
 && /opt/build/bin/pip install --quiet --no-cache-dir --require-hashes -r requirements-build.lock \
 && python3 -m venv --without-pip /opt/gridsvc \
 && /opt/build/bin/pip --python /opt/gridsvc/bin/python install --quiet --no-cache-dir --require-hashes -r requirements.lock
COPY api/web/package.json api/web/package-lock.json api/web/
RUN cd api/web && npm ci --no-audit --no-fund
COPY . .
RUN cd api/web && npm run build
RUN /opt/build/bin/python -m hatchling build -t wheel -d /dist \
 && /opt/build/bin/pip --python /opt/gridsvc/bin/python install --quiet --no-cache-dir --no-deps /dist/*.whl

FROM ${BASE}
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --home-dir /var/lib/gridsvc --shell /usr/sbin/nologin --uid 10001 --user-group gridsvc \
 && install -d -o gridsvc -g gridsvc -m 750 /var/lib/gridsvc
COPY --from=build /opt/gridsvc /opt/gridsvc
COPY data/samples /usr/share/gridsvc/samples
USER 10001:10001
WORKDIR /var/lib/gridsvc
# All that is written lies in one folder (and in /tmp), so the rest of the file system may be read-only.
ENV PATH=/opt/gridsvc/bin:$PATH \
    HOME=/var/lib/gridsvc \
    GRIDSVC_ACCESS=keys \
    GRIDSVC_DATA_DIR=/var/lib/gridsvc/data \
    NUMBA_CACHE_DIR=/var/lib/gridsvc/numba \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
EXPOSE 8000
VOLUME /var/lib/gridsvc
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# Whoever asks shows a key: the first start makes an administrator's and writes it to the log, once.
CMD ["gridsvc", "serve", "--host", "0.0.0.0", "--upgrade"]
