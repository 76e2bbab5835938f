"""A cache that may be gone: without Redis every read misses and every write is dropped."""

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


def _forgiving(method: Callable[..., Any], answer: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except (RedisError, OSError):
            log.warning("The cache does not answer; going on without it")
            return answer(*args, **kwargs)

    return call


def _default(_key: Any, default: Any = None, *_: Any, **__: Any) -> Any:
    return default


class ForgivingRedisCache(RedisCache):
    """Fails open: pages go on without Redis, and rate limits pause until it is back.

    To refuse every login while the cache restarts would do more harm than that pause.
    """

    get = _forgiving(RedisCache.get, _default)
    get_many = _forgiving(RedisCache.get_many, lambda *_, **__: {})
    add = _forgiving(RedisCache.add, lambda *_, **__: True)
    set = _forgiving(RedisCache.set, lambda *_, **__: None)
    set_many = _forgiving(RedisCache.set_many, lambda *_, **__: [])
    touch = _forgiving(RedisCache.touch, lambda *_, **__: False)
    delete = _forgiving(RedisCache.delete, lambda *_, **__: False)
    delete_many = _forgiving(RedisCache.delete_many, lambda *_, **__: None)
    incr = _forgiving(RedisCache.incr, lambda _key, delta=1, *_, **__: delta)
    has_key = _forgiving(RedisCache.has_key, lambda *_, **__: False)
