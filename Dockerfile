# Revampd as one image: web, worker, beat and every command of manage.py.
#
#   docker build -t revampd .
#
# What it runs with comes from the environment: docs/settings.md.

FROM python:3.11-slim-trixie AS packages
COPY requirements/ /requirements/
ARG LOCK=app
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --no-deps --only-binary=:all: --require-hashes \
    -r /requirements/${LOCK}.lock

FROM python:3.11-slim-trixie
# pg_dump and pg_restore, for `manage.py backup` and `restore`; as new as the server, or newer.
RUN apt-get update \
 && apt-get install -y --no-install-recommends postgresql-client \
 && rm -rf /var/lib/apt/lists/*
COPY --from=packages /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /revampd
COPY manage.py gunicorn.conf.py ./
COPY static/ static/
COPY templates/ templates/
COPY connections/ connections/
COPY notifications/ notifications/
COPY billing/ billing/
COPY payouts/ payouts/
COPY tickets/ tickets/
COPY revampd/ revampd/
# Collecting needs sound settings and uses none of them.
RUN REVAMPD_SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    REVAMPD_BASE_URL=https://build.invalid \
    REVAMPD_DATABASE_URL=postgres://build.invalid/revampd \
    REVAMPD_REDIS_URL=redis://build.invalid:6379/0 \
    REVAMPD_EMAIL_URL=smtp+tls://build.invalid:587 \
    REVAMPD_FROM_EMAIL=nobody@build.invalid \
    python manage.py collectstatic --no-input --verbosity=0
RUN useradd --system --uid 10001 --home-dir /nowhere revampd \
 && install -d -o revampd -g revampd -m 0700 /data /data/attachments /data/backups
USER revampd
EXPOSE 8000
CMD ["gunicorn", "revampd.wsgi", "--bind=0.0.0.0:8000"]
