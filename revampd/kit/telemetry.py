"""Errors for Sentry and traces for OpenTelemetry, where a site wants them; without, not imported.

Neither learns whose page it was: addresses are patterns, and texts are masked as in the log.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from revampd.kit.logs import discreet

# Of an error only these leave; what was asked for, by whom and with what, stays here.
KEPT = ("event_id", "timestamp", "level", "platform", "release", "environment", "sdk", "logger",
        "transaction", "exception", "logentry", "tags", "contexts")  # fmt: skip
# Of a span these stay here: they hold addresses of pages and people.
LEFT_OUT = ("http.target", "http.url", "url.path", "url.full", "url.query", "http.client_ip",
            "client.address", "net.peer.ip", "network.peer.address", "http.user_agent",
            "user_agent.original", "exception.message", "exception.stacktrace")  # fmt: skip


def start() -> None:
    """Begin to send what the settings name. Raises ImproperlyConfigured without the library."""
    if settings.SENTRY_DSN:
        _send_errors(settings.SENTRY_DSN)
    if settings.OTEL_ENDPOINT:
        _send_traces(settings.OTEL_ENDPOINT)


def _library(name: str, setting: str, lock: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImproperlyConfigured(
            f"{setting} is set, but what it needs is not installed: "
            f"pip install --require-hashes -r requirements/{lock}."
        ) from error


def _send_errors(dsn: str) -> None:
    sentry = _library("sentry_sdk", "REVAMPD_SENTRY_DSN", "sentry.lock")
    sentry.init(
        dsn=dsn,
        release=settings.RELEASE or None,
        environment=settings.MODE,
        before_send=without_people,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
    )


def without_people(event: dict[str, Any], hint: Mapping[str, Any]) -> dict[str, Any]:
    """An error as it may leave: where it happened, and masked words."""
    error = (hint.get("exc_info") or (None, None))[1]
    notes = sorted(set(_notes(error)), key=len, reverse=True)

    def masked(value: Any) -> Any:
        if isinstance(value, str):
            for note in notes:
                value = value.replace(note, "")
            return discreet(value)
        if isinstance(value, Mapping):
            return {key: masked(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [masked(part) for part in value]
        return value

    return {name: masked(event[name]) for name in KEPT if name in event}


def _notes(error: BaseException | None) -> Iterator[str]:
    """What was noted for staff on an error and those that led to it."""
    while error is not None:
        yield from getattr(error, "__notes__", ())
        for part in getattr(error, "exceptions", ()):
            yield from _notes(part)
        error = error.__cause__ or error.__context__


def _send_traces(endpoint: str) -> None:
    names = ("trace", "sdk.trace", "sdk.trace.export", "sdk.resources",
             "exporter.otlp.proto.http.trace_exporter", "instrumentation.django",
             "instrumentation.celery", "instrumentation.psycopg")  # fmt: skip
    trace, sdk, export, resources, otlp, django, celery, psycopg = (
        _library(f"opentelemetry.{name}", "REVAMPD_OTEL_ENDPOINT", "otel.lock") for name in names
    )
    about = {"service.name": "revampd", "service.version": settings.RELEASE}
    provider = sdk.TracerProvider(resource=resources.Resource.create(about))
    exporter = otlp.OTLPSpanExporter(endpoint=endpoint)
    provider.add_span_processor(export.BatchSpanProcessor(Discreet(exporter, sdk.ReadableSpan)))
    trace.set_tracer_provider(provider)
    django.DjangoInstrumentor().instrument()
    celery.CeleryInstrumentor().instrument()
    psycopg.PsycopgInstrumentor().instrument(skip_dep_check=True)


class Discreet:
    """Passes spans on to an exporter, without what tells of people."""

    def __init__(self, exporter: Any, span: Any) -> None:
        self._exporter, self._span = exporter, span

    def export(self, spans: Sequence[Any]) -> Any:
        return self._exporter.export([self._masked(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return bool(self._exporter.force_flush(timeout_millis))

    def _masked(self, span: Any) -> Any:
        attributes = {
            name: discreet(value) if isinstance(value, str) else value
            for name, value in (span.attributes or {}).items()
            if name not in LEFT_OUT
        }
        return self._span(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=attributes,
            links=span.links,
            kind=span.kind,
            status=type(span.status)(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )
